import Datasets
import Diagnostics
import Kernels
import Network
import Runtime
import Tensors

/// What a quantized model does otherwise than the model it was made of, on the same samples: which predictions change,
/// how far each layer's output is off, and which layer brings it about.
public struct Differences: Sendable, Codable, Hashable {
  /// How far one layer's output is off.
  public struct Layer: Sendable, Codable, Hashable {
    public let name: String
    /// With everything before it quantized, too.
    public let cumulative: Error
    /// With this layer alone quantized, its input and output included; nil for one without weights, or with the same.
    public let alone: Error?
  }

  /// How far values are off.
  public struct Error: Sendable, Codable, Hashable {
    /// Signal to noise: `10 log10(Σ a² / Σ (a - b)²)` decibels; nil where nothing differs.
    public let decibels: Double?
    /// The largest difference.
    public let maximum: Double
    /// `Σ ab / sqrt(Σ a² Σ b²)`; 1 where one of them is all zeros and so is the other.
    public let cosine: Double
  }

  /// One sample whose output is far off.
  public struct Sample: Sendable, Codable, Hashable {
    /// Position in the data, from 0.
    public let index: Int
    public let label: Int
    public let predictions: [Int]
    /// `|a - b| / |a|` of the outputs.
    public let distance: Double
  }

  public let count: Int
  /// How many samples each model gets right.
  public let correct: [Int]
  /// Predictions that differ.
  public let flips: Int
  /// Of these: those the second model alone gets right, and those the first alone.
  public let gained: Int
  public let lost: Int
  /// In the graph's order; what has no name in both is left out.
  public let layers: [Layer]
  /// Those with the most distant outputs first.
  public let worst: [Sample]
}

extension Differences {
  /// - Parameters:
  ///   - layerSamples: how many of the first samples layers are compared on; 0 leaves that out.
  ///   - worstCount: how many samples to name.
  /// - Throws: `CompressError` when the models are not of one network or the data does not fit it.
  public init(
    _ original: Model, _ changed: Model, on data: any Dataset, layerSamples: Int = 64, worstCount: Int = 10,
    context: WorkContext
  ) throws {
    try Evaluation.check(original.graph, fits: data)
    try Evaluation.check(changed.graph, fits: data)
    guard original.graph.outputShape == changed.graph.outputShape else {
      throw CompressError(
        "outputs of shape \(original.graph.outputShape) and \(changed.graph.outputShape) cannot be compared")
    }
    guard data.count > 0 else { throw CompressError("\"\(data.name)\" has no samples to compare on") }
    let models = [original, changed]
    let sessions = try models.map {
      Session(try compile($0.classifying(), CompileOptions(maxBatch: Classifier.batch)), pool: context.pool)
    }
    let quantized = try Self.quantizedLayers(original, changed)
    let samples = min(layerSamples, data.count)
    context.progress.begin("differences on \(data.name)", total: data.count + (quantized.count + 1) * samples)

    var tally = Tally(worst: worstCount)
    var done = 0
    func advance(_ count: Int) throws {
      try context.cancellation.check()
      done += count
      context.progress.update(done: done, detail: "")
    }
    try Batches(data, size: Classifier.batch).forEach(threads: context.pool.threads) { batch in
      let outputs = try sessions.map { try $0.run(batch.images) }
      tally.add(outputs[0], outputs[1], batch.labels)
      try advance(batch.count)
    }

    var cumulative: [String: ErrorSum] = [:], alone: [String: ErrorSum] = [:]
    var order: [String] = []
    if samples > 0 {
      let reference = try Layers(original, pool: context.pool)
      let second = try Layers(changed, pool: context.pool)
      order = original.graph.nodes.map(\.name)
      let images = try data.taking(samples)
      try Self.compare(reference, second, on: images, into: &cumulative, advance)
      for layer in quantized {
        let mixed = try Model.mixing([original, changed]) { $0 == layer ? 1 : 0 }
        let value = mixed.graph.outputBehindClamp(of: layer)
        var sums: [String: ErrorSum] = [:]
        try Self.compare(
          reference, try Layers(mixed, pool: context.pool), on: images, only: value, into: &sums, advance)
        alone[value] = sums[value]
      }
    }
    for (model, name) in ["original", "changed model"].enumerated() where tally.undefined[model] > 0 {
      throw CompressError("the \(name) answers NaN to \(tally.undefined[model]) of \(data.count) samples: nothing to compare")
    }
    context.progress.end(detail: "\(tally.flips) of \(data.count) predictions differ")
    count = data.count
    correct = tally.correct
    flips = tally.flips
    gained = tally.gained
    lost = tally.lost
    worst = tally.worst
    layers = order.compactMap { name in
      cumulative[name].map { Layer(name: name, cumulative: $0.error, alone: alone[name]?.error) }
    }
  }

  /// Layers with weights that are not the same in both; none where the two are not of one network.
  private static func quantizedLayers(_ original: Model, _ changed: Model) throws -> [String] {
    let folded = try original.foldingBatchNorm()
    guard folded.graph == changed.graph else { return [] }
    return folded.weightLayers.filter { layer in
      guard case .float(let a)? = folded[layer, .weight]?.encoding,
        case .float(let b)? = changed[layer, .weight]?.encoding, a.dtype == b.dtype
      else { return true }
      return !a.withBytes { x in b.withBytes { x.elementsEqual($0) } }
    }
  }

  /// What a model's layers put out, a few samples at a time.
  private struct Layers {
    static let batch = 8
    let session: Session

    init(_ model: Model, pool: ThreadPool) throws {
      session = Session(try compile(model, CompileOptions(maxBatch: Self.batch)), pool: pool)
    }

    func values(_ images: Tensor, only: String?) throws -> [String: [Float]] {
      var values: [String: [Float]] = [:]
      try session.run(images, decodes: true) { name, elements in
        if only == nil || name == only { values[name] = Array(elements) }
      }
      return values
    }
  }

  private static func compare(
    _ first: Layers, _ second: Layers, on data: any Dataset, only: String? = nil,
    into sums: inout [String: ErrorSum], _ advance: (Int) throws -> Void
  ) throws {
    for number in stride(from: 0, to: data.count, by: Layers.batch) {
      let images = try data.batch(number..<min(number + Layers.batch, data.count)).images
      let a = try first.values(images, only: only), b = try second.values(images, only: only)
      for (name, values) in a {
        if let others = b[name], others.count == values.count { sums[name, default: ErrorSum()].add(values, others) }
      }
      try advance(images.shape[0])
    }
  }
}

/// What two models predict, sample by sample.
private struct Tally {
  let capacity: Int
  var correct = [0, 0]
  /// Samples that each answers NaN to.
  var undefined = [0, 0]
  var flips = 0, gained = 0, lost = 0
  var worst: [Differences.Sample] = []
  private var count = 0

  init(worst: Int) { capacity = worst }

  mutating func add(_ first: Tensor, _ second: Tensor, _ labels: [Int32]) {
    let width = first.count / max(labels.count, 1)
    let a = first.array(Float.self), b = second.array(Float.self)
    for (row, label) in labels.enumerated() {
      let x = a[row * width..<(row + 1) * width], y = b[row * width..<(row + 1) * width]
      let predictions = [x, y].map { row in
        row.indices.reduce(row.startIndex) { row[$1] > row[$0] ? $1 : $0 } - row.startIndex
      }
      for (model, row) in [x, y].enumerated() where row.contains(where: \.isNaN) { undefined[model] += 1 }
      let isRight = predictions.map { $0 == label }
      for model in 0..<2 where isRight[model] { correct[model] += 1 }
      if predictions[0] != predictions[1] { flips += 1 }
      if isRight[1], !isRight[0] { gained += 1 }
      if isRight[0], !isRight[1] { lost += 1 }
      let norm = x.reduce(0) { $0 + Double($1) * Double($1) }
      let noise = zip(x, y).reduce(0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
      let distance = norm > 0 ? (noise / norm).squareRoot() : noise.squareRoot()
      note(
        Differences.Sample(
          index: count, label: Int(label), predictions: predictions,
          distance: distance.isFinite ? distance : .greatestFiniteMagnitude))
      count += 1
    }
  }

  /// Keeps the most distant, the earlier ones of equals.
  private mutating func note(_ sample: Differences.Sample) {
    guard worst.count < capacity || worst.last.map({ sample.distance > $0.distance }) ?? false else { return }
    worst.insert(sample, at: worst.firstIndex { $0.distance < sample.distance } ?? worst.endIndex)
    if worst.count > capacity { worst.removeLast() }
  }
}
