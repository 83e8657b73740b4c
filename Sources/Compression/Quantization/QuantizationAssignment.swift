import Diagnostics
import Network
import Tensors

/// What a recipe wants for one layer.
public struct LayerQuantization: Sendable, Hashable {
  public var weights: WeightFormat
  /// nil: activations stay float in files and between layers; with integer weights they are then
  /// quantized on the fly (dynamic range).
  public var activations: ActivationFormat?
  /// Whether the bias takes back what quantization adds to the mean of the layer's output (see `BiasCorrection`).
  public var correctsBias: Bool
  /// What the parameters of the batch norm that is folded into the layer are rounded to before.
  public var norm: NormFormat?

  public init(
    weights: WeightFormat, activations: ActivationFormat? = nil, correctsBias: Bool = false, norm: NormFormat? = nil
  ) {
    self.weights = weights
    self.activations = activations
    self.correctsBias = correctsBias
    self.norm = norm
  }
}

/// A recipe applied to a whole model: which layers change how, and which values must be observed.
///
/// Static quantization of a layer needs the values on both of its sides as integers. What lies between
/// such layers follows each operator's `QuantizationRule`: pooling, flatten and reshape keep the quantization of their
/// input; adds, products, concats, normalizations, attention and functions of each element get their own. The network's
/// outputs stay float.
public struct QuantizationAssignment: Sendable {
  /// The model with batch norms folded: what is calibrated, and what the integers are made of.
  public let model: Model
  public let layers: [String: LayerQuantization]
  /// Formats by the name of the layer whose output is observed.
  public let observed: [String: ActivationFormat]
  /// Values that share another's quantization: pooling, flatten, reshape → where their input's comes from.
  private let shared: [String: String]

  /// What of a value matters to what reads it, as far as that is known: whoever reads the input of a hard_swish can do
  /// without the codes of what lies below -3.
  public func sensitiveRange(of value: String) -> ClosedRange<Float>? {
    guard !model.graph.isOutput(value), let format = observed[value] else { return nil }
    let ranges = model.graph.consumers[value, default: []].map { name -> ClosedRange<Float>? in
      guard case .activation(let function)? = model.graph[name]?.op else { return nil }
      return function.sensitiveRange(bits: format.bits)
    }
    guard let first = ranges.first, ranges.allSatisfy({ $0 != nil }) else { return nil }
    return ranges.reduce(first!) { min($0.lowerBound, $1!.lowerBound)...max($0.upperBound, $1!.upperBound) }
  }

  /// The layers whose biases are to be corrected, in the graph's order.
  public var corrected: [String] {
    model.weightLayers.filter { layers[$0]?.correctsBias == true && model[$0, .bias] != nil }
  }

  /// The layers whose weights learn from samples which way to be rounded, in the graph's order.
  public var learning: [String] {
    model.weightLayers.filter {
      if case .integer(_, _, _, _, .learned)? = layers[$0]?.weights { true } else { false }
    }
  }

  /// - Parameter assign: asked for every convolution and dense layer in the graph's order; nil leaves it float.
  /// - Throws: what `assign` throws; `CompressError` when a weight is already quantized.
  public init(_ original: Model, assign: (Model, Node) throws -> LayerQuantization?) throws {
    var model = try original.foldingBatchNorm()
    let graph = model.graph
    var layers: [String: LayerQuantization] = [:]
    // What does not reach an output is never computed, so that nothing can be observed of it.
    let needed = graph.needed(for: graph.outputs)
    for name in model.weightLayers where needed.contains(name) {
      guard let choice = try atLayer(name, { try assign(model, graph[name]!) }) else { continue }
      guard case .float(let weight)? = model[name, .weight]?.encoding, weight.dtype == .float32 else {
        throw CompressError("its weight is quantized already").at(layer: name)
      }
      layers[name] = choice
    }
    let norms = layers.compactMapValues(\.norm)
    if !norms.isEmpty { model = try original.roundingNorms(norms).foldingBatchNorm() }

    let consumers = graph.consumers
    var observed: [String: ActivationFormat] = [:]
    var shared: [String: String] = [:]
    func isQuantized(_ value: String) -> Bool { observed[value] != nil || shared[value] != nil }
    func watch(_ value: String, _ format: ActivationFormat) {
      guard !isQuantized(value) else { return }
      if let node = graph.producer(of: value), node.op.isReshape {  // the same values under another shape
        watch(node.inputs[0], format)
        shared[value] = node.inputs[0]
      } else {
        observed[value] = format
      }
    }
    /// Whether it is the same for every sample, under whatever shape.
    func isConstant(_ value: String) -> Bool {
      guard let node = graph.producer(of: value) else { return false }
      if case .constant = node.op { return true }
      return node.op.isReshape && isConstant(node.inputs[0])
    }

    for node in graph.nodes where needed.contains(node.name) {
      switch node.op.spec.quantization {
      case .weighted:
        guard let format = layers[graph.owner(of: node.name)]?.activations else { continue }
        watch(node.inputs[0], format)
        let result = graph.outputBehindClamp(of: node.name, consumers)
        if Self.wantsIntegers(result, graph, consumers) { watch(result, format) }
      case .ofInput:
        if isQuantized(node.inputs[0]) { for output in node.outputs { shared[output] = node.inputs[0] } }
      case .own:
        let varying = node.inputs.filter { !isConstant($0) }
        guard !varying.isEmpty, varying.allSatisfy(isQuantized) else { continue }
        let result = graph.outputBehindClamp(of: node.name, consumers)
        guard Self.wantsIntegers(result, graph, consumers) else { continue }
        // Of what the first shares its quantization with.
        var source = varying[0]
        while let other = shared[source] { source = other }
        let format = observed[source] ?? ActivationFormat()
        for constant in node.inputs where isConstant(constant) { watch(constant, format) }
        watch(result, format)
      case .fused, .float: continue
      }
    }
    self.model = model
    self.layers = layers
    self.observed = observed
    self.shared = shared
  }

  /// The network's outputs stay float, and what only such operators read whose own result stays float.
  private static func wantsIntegers(_ value: String, _ graph: Graph, _ consumers: [String: [String]]) -> Bool {
    guard !graph.isOutput(value) else { return false }
    return consumers[value, default: []].contains { name in
      guard let spec = graph[name]?.op.spec else { return false }
      switch spec.quantization {
      case .float: return false
      case .own where spec.arity.upperBound == 1:
        return wantsIntegers(graph.outputBehindClamp(of: name, consumers), graph, consumers)
      case .ofInput where spec is Resize:  // a map of scores that is enlarged at the end
        return wantsIntegers(graph[name]!.output, graph, consumers)
      default: return true
      }
    }
  }

  /// The quantized model, given what the observers found.
  ///
  /// - Throws: `CompressError` naming the layer.
  public func quantized(_ ranges: [String: ActivationEncoding]) throws -> Model {
    var model = model
    for value in model.graph.values {
      var source = value
      while let from = shared[source] { source = from }
      guard observed[source] != nil else { continue }
      guard let range = ranges[source] else { throw CompressError("has not been calibrated").at(layer: source) }
      try model.setActivation(range, of: value)
    }
    for (name, choice) in layers.sorted(by: { $0.key < $1.key }) {
      try atLayer(name) { try Self.encode(&model, name, choice) }
    }
    return model
  }

  private static func encode(_ model: inout Model, _ name: String, _ choice: LayerQuantization) throws {
    let weight = model[name, .weight]!, bias = model[name, .bias]
    try model.set(choice.weights.encoded(weight), name, .weight)
    guard let bias else { return }
    if choice.activations != nil {
      try model.setBias(bias.values, of: name)
    } else if case .float16 = choice.weights, bias.values.array(Float.self).allSatisfy({ abs($0) <= 65_504 }) {
      // One that float16 cannot hold stays; there are few, they weigh little.
      try model.set(Parameter(.float(bias.values.converted(to: .float16))), name, .bias)
    }
  }
}

extension WeightFormat {
  /// A float weight in this format. The mask, if there is one, then says what the values say: what was rounded to zero
  /// is as good as pruned.
  ///
  /// - Throws: `CompressError` when a weight is not finite, or bits or clusters are out of range.
  public func encoded(_ weight: Parameter) throws -> Parameter {
    let values = weight.values
    switch self {
    case .float16: return try weight.encoded(as: .float(values.converted(to: .float16)))
    case .bfloat16: return try weight.encoded(as: .float(values.converted(to: .bfloat16)))
    case .integer(let bits, let granularity, let fit, let powerOfTwo, _):
      let integers = try IntegerValues(
        quantizing: values, bits: bits, granularity: granularity, fit: fit, powerOfTwo: powerOfTwo)
      return try weight.encoded(as: .integer(integers))
    case .levels(let spacing, let bits):
      if let bad = values.firstNonFinite {
        throw CompressError("weight \(bad.value) at \(bad.index) is not finite", kind: .input)
      }
      let elements = values.array(Float.self)
      let levels = try spacing.levels(low: elements.min() ?? 0, high: elements.max() ?? 0, bits: bits) { levels in
        var sum = 0.0
        for run in Cancellation.runs(elements.count) {
          for value in elements[run] {
            let error = Double(value - levels.values[levels.index(of: value)])
            sum += error * error
          }
        }
        try Cancellation.checkCurrent()
        return sum
      }
      return try weight.encoded(as: .codes(CodedValues(values, levels: levels)))
    case .clusters(let count):
      let levels = try RoundingLevels(clustering: values, count: count)
      return try weight.encoded(as: .codes(CodedValues(values, levels: levels)))
    }
  }
}

extension Graph {
  /// The value behind the clamp that will be fused into a layer, or the layer's own.
  public func outputBehindClamp(of layer: String) -> String { outputBehindClamp(of: layer, consumers) }

  /// - Parameter consumers: those of the graph.
  func outputBehindClamp(of layer: String, _ consumers: [String: [String]]) -> String {
    guard !isOutput(layer), producer(of: layer)?.op.spec.fusesClamp == true, let next = consumers[layer],
      next.count == 1, let consumer = self[next[0]], consumer.op.clampRange != nil
    else { return layer }
    return consumer.output
  }
}
