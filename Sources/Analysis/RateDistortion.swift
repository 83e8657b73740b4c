import Compression
import Datasets
import Diagnostics
import Network
import Runtime
import Tensors

/// A network's weights on few levels, as many for each layer as it is worth: what the outputs err and what the levels
/// take in a packed file weigh against each other alike in all layers (`RateDistortionRounding`).
///
/// How much an error of a layer's output matters is measured by rounding it alone, coarsely. Layers are then rounded in
/// the network's order, each by what reaches it from those before, and its bias takes back what is left in the mean.
/// Batch norms are folded first, so that what is rounded is what runs.
public struct RateDistortion {
  /// With batch norms folded.
  public let original: Model
  /// Those whose weights are rounded, in the network's order.
  public let layers: [String]
  /// Those that stay: their weights are clusters, or reach no output.
  public let left: [String]
  /// Weights of `layers`.
  public let weights: Int

  private let images: Tensor
  private let context: WorkContext
  /// By layer: the relative squared error of the outputs for one of the layer's output, summed over its filters.
  private let worths: [String: Double]

  /// Samples that tell how much layers matter.
  private static let probed = 64
  /// A layer alone is rounded to so many levels on each side of zero.
  private static let probe = 16

  /// Tells a step of progress for each layer.
  ///
  /// - Parameters:
  ///   - samples: of the network's input shape, one or more, all of which are looked at.
  ///   - onStep: called before each layer.
  /// - Throws: `CompressError` when there is nothing to round, a sample or a weight is not finite, or stopping was
  ///   requested.
  public init(
    of model: Model, on samples: any Dataset, context: WorkContext, onStep: (_ layer: String) throws -> Void
  ) throws {
    let original = try model.foldingBatchNorm()
    let needed = original.graph.needed(for: original.graph.outputs)
    func isRounded(_ layer: String) -> Bool {
      guard needed.contains(layer) else { return false }
      if case .codes(let coded)? = original[layer, .weight]?.encoding { return coded.steps != nil }
      return original[layer, .weight]!.count > 0
    }
    let layers = original.weightLayers.filter(isRounded)
    guard !layers.isEmpty else { throw CompressError("there are no weights to round") }
    let batch = try samples.batch(0..<samples.count)
    try samples.checkFinite(batch, first: 0)
    self.original = original
    self.layers = layers
    left = original.weightLayers.filter { !isRounded($0) }
    weights = layers.reduce(0) { $0 + original[$1, .weight]!.count }
    images = batch.images
    self.context = context
    let few = try batch.images.sliced(axis: 0, 0..<min(Self.probed, samples.count))
    let ends = original.graph.unsquashedOutputs
    let error = try OutputError(of: original.upTo(ends), on: few, context: context)
    var worths: [String: Double] = [:]
    var inputs = LayerStream(original.graph, through: layers, on: few, pool: context.pool)
    for layer in layers {
      try onStep(layer)
      try context.step()
      worths[layer] = try atLayer(layer) {
        try Self.worth(of: layer, original, &inputs, few.shape[0], context) { try error.of($0.upTo(ends)) }
      }
    }
    // What seems not to matter at all on these samples matters as little as anything.
    let least = worths.values.filter { $0 > 0 }.min() ?? 1
    self.worths = worths.mapValues { max($0, least) }
  }

  private static func worth(
    of layer: String, _ original: Model, _ inputs: inout LayerStream, _ count: Int, _ context: WorkContext,
    error: (Model) throws -> Double
  ) throws -> Double {
    let weight = original[layer, .weight]!, values = weight.values
    let peak = values.array(Float.self).reduce(0) { max($0, abs($1)) }
    let limit = min(probe, limit(of: weight))
    guard peak.isFinite, peak / Float(limit) >= .leastNormalMagnitude else { return 0 }
    let step = peak / Float(limit)
    let levels = values.array(Float.self).map { Int8(($0 / step).rounded(.toNearestOrEven)) }
    var rounded = original
    try set(
      RateDistortionRounding.Levels(values: Tensor(levels, values.shape), step: step), of: layer, &rounded, original)
    let products = RateDistortionRounding.products(original.graph, original.graph[layer]!)
    try inputs.advance(to: layer, in: original)
    for part in batches(count) {
      try context.step()
      let values = try inputs.values(part)
      try values.withUnsafeBufferPointer { try products.observe(original: $0, rounded: $0, pool: context.pool) }
    }
    let change = zip(rounded[layer, .weight]!.values.array(Float.self), values.array(Float.self)).map { $0 - $1 }
    let own = products.meanSquare(ofChange: change, pool: context.pool)
    let found = try error(rounded)
    return own > 0 && found.isFinite ? found / own : 0
  }

  /// The network for a trade of errors and bits.
  ///
  /// - Parameters:
  ///   - lambda: the squared error of the outputs, relative to their squares, that a bit for every weight is worth.
  ///   - onStep: called before each layer.
  /// - Throws: `CompressError` naming the layer when what reaches it is not finite, or stopping was requested.
  public func model(lambda: Double, onStep: (_ layer: String) throws -> Void) throws -> Model {
    precondition(lambda >= 0)
    var model = original
    var before = LayerStream(original.graph, through: layers, on: images, pool: context.pool), now = before
    for layer in layers {
      try onStep(layer)
      try atLayer(layer) {
        try round(layer, &model, trade: lambda / Double(weights) / worths[layer]!, before: &before, now: &now)
      }
    }
    return model
  }

  /// - Parameters:
  ///   - before: what reaches layers in the original.
  ///   - now: what reaches them in the model.
  private func round(
    _ layer: String, _ model: inout Model, trade: Double, before: inout LayerStream, now: inout LayerStream
  ) throws {
    let node = original.graph[layer]!, weight = original[layer, .weight]!
    let source = original.graph.origin(of: node.inputs[0])
    let products = RateDistortionRounding.products(original.graph, node)
    try before.advance(to: layer, in: original)
    try now.advance(to: layer, in: model)
    var means = InputMeans(original.graph, of: [layer]), roundedMeans = means
    for part in Self.batches(images.shape[0]) {
      try context.step()
      let values = try before.values(part), rounded = try now.values(part)
      try values.withUnsafeBufferPointer { values in
        try rounded.withUnsafeBufferPointer { rounded in
          try products.observe(original: values, rounded: rounded, pool: context.pool)
          means.observe(source, values)
          roundedMeans.observe(source, rounded)
        }
      }
    }
    let rounding = try RateDistortionRounding(weight.values, products, pool: context.pool)
    let levels = try rounding.levels(trade: trade, limit: Self.limit(of: weight), pool: context.pool)
    try Self.set(levels, of: layer, &model, original)
    try BiasCorrection.correct(&model, of: original, layers: [layer], means: means, roundedMeans: roundedMeans)
    // A float bias as float16, where that holds it.
    if let bias = model[layer, .bias], case .float(let values) = bias.encoding,
      values.array(Float.self).allSatisfy({ abs($0) <= 65_504 })
    {
      try model.set(Parameter(.float(values.converted(to: .float16))), layer, .bias)
    }
  }

  private static func batches(_ count: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: Calibration.batch).map { $0..<min($0 + Calibration.batch, count) }
  }

  /// The greatest level that a layer may have: integers stay integers of as many bits.
  private static func limit(of weight: Parameter) -> Int {
    if case .integer(let integers) = weight.encoding { return IntegerValues.limit(bits: integers.bits) }
    return IntegerValues.limit(bits: 8)
  }

  /// Stores the levels: as integers where the weight was integers, so that the network goes on running in them; as
  /// codes otherwise, which run as the floats they stand for.
  private static func set(
    _ levels: RateDistortionRounding.Levels, of layer: String, _ model: inout Model, _ original: Model
  ) throws {
    let weight = original[layer, .weight]!
    if case .integer(let old) = weight.encoding {
      let integers = try IntegerValues(values: levels.values, scales: [levels.step], bits: old.bits)
      try model.set(weight.encoded(as: .integer(integers)), layer, .weight)
    } else {
      let encoding = Encoding.codes(try CodedValues(levels: levels.values, step: levels.step))
      // What was rounded to zero is as good as pruned, unless that would leave parts of blocks.
      var mask = weight.mask.map { _ in encoding.nonzeroMask }
      if case .blocks? = weight.structure { mask = weight.mask }
      var parameter = try Parameter(encoding, mask: mask)
      parameter.adopt(weight.structure)
      try model.set(parameter, layer, .weight)
    }
    if let bias = original[layer, .bias] { try model.setBias(bias.values, of: layer) }
  }
}
