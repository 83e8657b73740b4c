import Network
import Tensors

/// A network between model and plan: operations on numbered values, in the order they run. The
/// passes rewrite it until every operation is one kernel; it holds the only reference that is left
/// to a layer's parameters until they are packed.
struct Program {
  struct Value {
    let name: String
    var shape: Shape
    /// What becomes of it before it is read.
    var encoding: ActivationEncoding?

    /// How it is held as uint8; nil when it is held as float32.
    var quantization: ActivationQuantization? { encoding?.integer }
    /// What it is rounded to as a float32.
    var rounding: ActivationEncoding? { quantization == nil ? encoding : nil }
  }

  struct Operation {
    /// The layer it stems from.
    let layer: String
    var kind: Kind
    var inputs: [Int]
    var output: Int
    /// A fused activation that only clamps.
    var activation: Activation?
    var arithmetic = Arithmetic.float32
    /// What shapes its inputs have for it: where a reshape was dropped, others than those of the values. Nil: the same.
    var shapes: [Shape]?
  }

  enum Kind {
    case conv2d(Conv2D, Weights)
    case dense(Dense, Weights)
    /// `factor * x + shift` for each channel.
    case affine(factor: [Float], shift: [Float])
    case activation(Activation)
    case pool2d(Pool2D)
    case globalPool(GlobalPool)
    case add
    case concat
    /// The same bytes under another shape.
    case reshape
    case pad(Pad)
    /// From one way of holding a value to another: quantize, dequantize or requantize.
    case convert
    /// float32 to the nearest float32 of some.
    case round(ActivationEncoding)
  }

  struct Weights {
    let weight: Encoding
    let bias: Encoding?
  }

  var values: [Value]
  var operations: [Operation]
  var input: Int
  var output: Int
  /// What the network's result is seen as; reshapes on the way are dropped.
  let outputShape: Shape

  init(_ model: Model) {
    let graph = model.graph
    values = graph.nodes.map {
      Value(name: $0.name, shape: graph.shape(of: $0.name), encoding: model.activations[$0.name])
    }
    operations = graph.nodes.enumerated().compactMap { index, node in
      Kind(node, of: model).map {
        Operation(
          layer: node.name, kind: $0, inputs: node.inputs.map { graph.index(of: $0)! }, output: index,
          shapes: graph.inputShapes(of: node))
      }
    }
    input = graph.index(of: graph.input.name)!
    output = graph.index(of: graph.output)!
    outputShape = graph.outputShape
    removeUnused()
  }

  /// How many operations read each value; the network's output counts as one.
  var readers: [Int] {
    var readers = [Int](repeating: 0, count: values.count)
    for input in operations.flatMap(\.inputs) { readers[input] += 1 }
    readers[output] += 1
    return readers
  }

  /// Drops what the output does not depend on.
  private mutating func removeUnused() {
    var needed: Set<Int> = [output]
    for operation in operations.reversed() where needed.contains(operation.output) {
      needed.formUnion(operation.inputs)
    }
    operations.removeAll { !needed.contains($0.output) }
  }
}

extension Program.Kind {
  /// Nil for the input, which is no operation.
  fileprivate init?(_ node: Node, of model: Model) {
    func weights() -> Program.Weights {
      Program.Weights(weight: model[node.name, .weight]!.encoding, bias: model[node.name, .bias]?.encoding)
    }
    switch node.op {
    case .input: return nil
    case .conv2d(let conv): self = .conv2d(conv, weights())
    case .dense(let dense): self = .dense(dense, weights())
    case .batchNorm(let norm):
      func values(_ role: ParameterRole) -> [Float] { model[node.name, role]!.values.array() }
      let factor = zip(values(.gamma), values(.variance)).map { $0 / ($1 + norm.epsilon).squareRoot() }
      let shift = zip(values(.beta), zip(values(.mean), factor)).map { $0 - $1.0 * $1.1 }
      self = .affine(factor: factor, shift: shift)
    case .activation(let function): self = .activation(function)
    case .pool2d(let pool): self = .pool2d(pool)
    case .globalPool(let pool): self = .globalPool(pool)
    case .add: self = .add
    case .concat: self = .concat
    case .flatten, .reshape, .dropout: self = .reshape
    case .pad(let pad): self = .pad(pad)
    }
  }
}
