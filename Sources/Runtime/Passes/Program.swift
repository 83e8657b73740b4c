import Network
import Tensors

/// A network between model and plan: operations on numbered values, in the order they run. The
/// passes rewrite it until every operation is one kernel; it holds the only reference that is left
/// to a layer's parameters until they are packed.
package struct Program {
  package struct Value {
    package let name: String
    package var shape: Shape
    /// What becomes of it before it is read.
    package var encoding: ActivationEncoding?

    /// How it is held as uint8; nil when it is held as float32.
    package var quantization: ActivationQuantization? { encoding?.integer }
    /// What it is rounded to as a float32.
    var rounding: ActivationEncoding? { quantization == nil ? encoding : nil }
  }

  package struct Operation {
    /// The layer it stems from.
    package let layer: String
    package var kind: Kind
    package var inputs: [Int]
    package var outputs: [Int]
    /// What is fused into it: an operator that only clamps.
    package var clamp: Operator?
    package var arithmetic = Arithmetic.float32
    /// The first output: the only one of most operations.
    package var output: Int {
      get { outputs[0] }
      set { outputs[0] = newValue }
    }
    /// What a node has beside a weight and a bias: the scale and shift of a normalization, slopes.
    package var parameters: [ParameterRole: [Float]] = [:]
    /// Which algorithm computes it, where there is a choice.
    var choice: KernelChoice?
    /// What shapes its inputs have for it: where a reshape was dropped, others than those of the values. Nil: the same.
    package var shapes: [Shape]?
  }

  package enum Kind {
    /// What a node computes, with its weight where it has one.
    case node(Operator, Weights?)
    /// `factor * x + shift` for each channel.
    case affine(factor: [Float], shift: [Float])
    /// The same value for every sample.
    case constant([Float])
    /// The same bytes under another shape.
    case reshape
    /// From one way of holding a value to another: quantize, dequantize or requantize.
    case convert
    /// float32 to the nearest float32 of some.
    case round(ActivationEncoding)
  }

  package struct Weights {
    package let weight: Encoding
    package let bias: Encoding?
    /// What pruning removed of the weight, and the form in which its zeros come.
    let mask: Tensor?
    let structure: SparsityStructure?
  }

  package var values: [Value]
  package var operations: [Operation]
  /// The network's inputs and outputs, in their order.
  package var inputs: [Int]
  package var outputs: [Int]
  /// What the network's results are seen as; reshapes on the way are dropped.
  package let outputShapes: [Shape]
  package let outputNames: [String]

  init(_ model: Model) {
    let graph = model.graph
    func places(_ names: [String]) -> [Int] { names.map { graph.index(ofValue: $0)! } }
    values = graph.values.map { Value(name: $0, shape: graph.shape(of: $0), encoding: model.activations[$0]) }
    operations = graph.nodes.filter { !$0.op.isInput }.map { node in
      Operation(
        layer: node.name, kind: Kind(node, of: model), inputs: places(node.inputs), outputs: places(node.outputs),
        parameters: node.otherParameters(in: model), shapes: graph.inputShapes(of: node))
    }
    inputs = places(graph.inputs)
    outputs = places(graph.outputs)
    outputShapes = graph.outputShapes
    outputNames = graph.outputs
    removeUnused()
  }

  /// How many operations read each value; that it is an output of the network counts as one.
  var readers: [Int] {
    var readers = [Int](repeating: 0, count: values.count)
    for input in operations.flatMap(\.inputs) { readers[input] += 1 }
    for output in outputs { readers[output] += 1 }
    return readers
  }

  /// Drops what no output depends on.
  private mutating func removeUnused() {
    var needed = Set(outputs)
    for operation in operations.reversed() where operation.outputs.contains(where: needed.contains) {
      needed.formUnion(operation.inputs)
    }
    operations.removeAll { !$0.outputs.contains(where: needed.contains) }
  }
}

extension Node {
  /// Those of what is a step by itself and has no weight.
  fileprivate func otherParameters(in model: Model) -> [ParameterRole: [Float]] {
    switch op {
    case .prelu, .normalization:
      let roles = model.graph.parameterSpecs(of: self).map(\.role)
      return Dictionary(uniqueKeysWithValues: roles.map { ($0, model[name, $0]!.values.array()) })
    default: return [:]  // the declared fallback: weights are read as they are encoded, constants and batch norms by kind
    }
  }
}

extension Program.Kind {
  fileprivate init(_ node: Node, of model: Model) {
    func values(_ role: ParameterRole) -> [Float] { model[node.name, role]!.values.array() }
    switch node.op {
    case .batchNorm(let norm):
      let (factors, shifts) = norm.factors(values)
      self = .affine(factor: factors, shift: shifts)
    case .constant(let constant): self = .constant(values(constant.role))
    case let op where op.isReshape: self = .reshape
    case let op:
      let bias = model[node.name, .bias]?.encoding
      self = .node(
        op,
        model[node.name, .weight].map {
          Program.Weights(weight: $0.encoding, bias: bias, mask: $0.mask, structure: $0.structure)
        })
    }
  }

  /// What an operator that a node computes says of itself; nil for what the passes have made.
  package var spec: (any OperatorSpec)? {
    if case .node(let op, _) = self { op.spec } else { nil }
  }
}
