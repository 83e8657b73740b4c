import Diagnostics
import Network
import Tensors

/// What a recipe wants for one layer.
public struct LayerQuantization: Sendable, Hashable {
  public var weights: WeightFormat
  /// nil: activations stay float in files and between layers; with integer weights they are then
  /// quantized on the fly (dynamic range).
  public var activations: ObserverKind?

  public init(weights: WeightFormat, activations: ObserverKind? = nil) {
    self.weights = weights
    self.activations = activations
  }
}

/// A recipe applied to a whole model: which layers change how, and which values must be observed.
///
/// Static quantization of a layer needs the values on both of its sides as integers. What lies between
/// such layers follows: pooling, flatten and reshape keep the quantization of their input, adds and
/// concats get their own. Softmax, sigmoid and the network's output stay float.
public struct QuantizationAssignment: Sendable {
  /// The model with batch norms folded: what is calibrated, and what the integers are made of.
  public let model: Model
  public let layers: [String: LayerQuantization]
  /// Observer kinds by the name of the layer whose output is observed.
  public let observed: [String: ObserverKind]
  /// Values that share another's quantization: pooling, flatten, reshape → where their input's comes from.
  private let shared: [String: String]

  /// - Parameter assign: asked for every convolution and dense layer in the graph's order; nil leaves it float.
  /// - Throws: what `assign` throws; `CompressError` when a weight is already quantized.
  public init(_ original: Model, assign: (Model, Node) throws -> LayerQuantization?) throws {
    let model = try original.foldingBatchNorm()
    let graph = model.graph
    var layers: [String: LayerQuantization] = [:]
    for name in model.weightLayers {
      guard let choice = try atLayer(name, { try assign(model, graph[name]!) }) else { continue }
      guard case .float(let weight)? = model[name, .weight]?.encoding, weight.dtype == .float32 else {
        throw CompressError("its weight is quantized already").at(layer: name)
      }
      layers[name] = choice
    }

    let consumers = graph.consumers
    var observed: [String: ObserverKind] = [:]
    var shared: [String: String] = [:]
    func isQuantized(_ value: String) -> Bool { observed[value] != nil || shared[value] != nil }
    func watch(_ value: String, _ kind: ObserverKind) {
      guard !isQuantized(value) else { return }
      switch graph[value]!.op {
      case .flatten, .reshape, .dropout:  // the same values under another shape
        let source = graph[value]!.inputs[0]
        watch(source, kind)
        shared[value] = source
      default: observed[value] = kind
      }
    }

    for node in graph.nodes {
      switch node.op {
      case .conv2d, .dense:
        guard let kind = layers[node.name]?.activations else { continue }
        watch(node.inputs[0], kind)
        let result = Self.fusedOutput(of: node, graph, consumers)
        if Self.wantsIntegers(result, graph, consumers) { watch(result, kind) }
      case .pool2d, .globalPool, .flatten, .reshape, .pad, .dropout:
        if isQuantized(node.inputs[0]) { shared[node.name] = node.inputs[0] }
      case .add, .concat:
        guard node.inputs.allSatisfy(isQuantized) else { continue }
        let result = Self.fusedOutput(of: node, graph, consumers)
        let kind = observed[node.inputs[0]] ?? .minmax
        if Self.wantsIntegers(result, graph, consumers) { watch(result, kind) }
      case .input, .batchNorm, .activation: continue
      }
    }
    self.model = model
    self.layers = layers
    self.observed = observed
    self.shared = shared
  }

  /// The value after the clamp that will be fused into the node, or the node's own.
  private static func fusedOutput(of node: Node, _ graph: Graph, _ consumers: [String: [String]]) -> String {
    guard node.name != graph.output, let next = consumers[node.name], next.count == 1, let consumer = graph[next[0]],
      case .activation(let function) = consumer.op, function.clamp != nil
    else { return node.name }
    return consumer.name
  }

  /// The network's output and what only softmax or sigmoid reads stay float.
  private static func wantsIntegers(_ value: String, _ graph: Graph, _ consumers: [String: [String]]) -> Bool {
    guard value != graph.output else { return false }
    return consumers[value, default: []].contains { name in
      if case .activation(let function)? = graph[name]?.op { return function.clamp != nil }
      return true
    }
  }

  /// The quantized model, given what the observers found.
  ///
  /// - Throws: `CompressError` naming the layer.
  public func quantized(_ ranges: [String: ActivationQuantization]) throws -> Model {
    var model = model
    for node in model.graph.nodes {
      var source = node.name
      while let from = shared[source] { source = from }
      guard observed[source] != nil else { continue }
      guard let range = ranges[source] else { throw CompressError("has not been calibrated").at(layer: source) }
      try model.setActivation(range, of: node.name)
    }
    for (name, choice) in layers.sorted(by: { $0.key < $1.key }) {
      try atLayer(name) { try Self.encode(&model, name, choice) }
    }
    return model
  }

  private static func encode(_ model: inout Model, _ name: String, _ choice: LayerQuantization) throws {
    let weight = model[name, .weight]!, bias = model[name, .bias]
    switch choice.weights {
    case .float16:
      try model.set(Parameter(.float(weight.values.converted(to: .float16)), mask: weight.mask), name, .weight)
    case .integer(let bits, let granularity):
      let integers = try IntegerValues(quantizing: weight.values, bits: bits, granularity: granularity)
      // What rounded to zero is as good as pruned; the mask says what the values say.
      let mask = weight.mask.map { _ in integers.nonzeroMask }
      try model.set(Parameter(.integer(integers), mask: mask), name, .weight)
      let input = model.graph[name]!.inputs[0]
      if choice.activations != nil, let bias, let range = model.activations[input] {
        let integers = try IntegerValues(bias: bias.values, inputScale: range.scale, weightScales: integers.scales)
        try model.set(Parameter(.integer(integers)), name, .bias)
      }
    }
  }
}

extension IntegerValues {
  /// uint8: 1 where a value is not zero.
  fileprivate var nonzeroMask: Tensor {
    var mask = Tensor(zeros: values.shape, dtype: .uint8)
    values.withElements(Int8.self) { q in
      mask.withMutable(UInt8.self) { for i in $0.indices { $0[i] = q[i] == 0 ? 0 : 1 } }
    }
    return mask
  }
}
