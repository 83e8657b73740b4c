import Datasets
import Diagnostics
import Kernels
import Network
import Runtime
import Tensors

/// What a quantized model does otherwise than the model it was made of, on the same samples: which predictions change,
/// or, where there are no labels to judge them by, how far outputs agree; how far each layer's output is off, and which
/// layer brings it about.
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
    /// nil where there are no labels.
    public let label: Int?
    /// Where the greatest element of the first output is.
    public let predictions: [Int]
    /// `|a - b| / |a|` of the outputs.
    public let distance: Double
  }

  public let count: Int
  /// How many samples each model gets right; nil where they were not judged by that.
  public let correct: [Int]?
  /// How far all outputs agree; nil where models were judged by accuracy.
  public let outputs: [Agreement.Output]?
  /// Predictions that differ: greatest elements of the first output at another place.
  public let flips: Int
  /// Of these: those the second model alone gets right, and those the first alone.
  public let gained: Int
  public let lost: Int
  /// In the graph's order; what has no name in both is left out.
  public let layers: [Layer]
  /// Layers whose outputs equalization scaled in the second model. They, and those up to the layers that make up for
  /// it, are held against the first's scaled alike, which changes nothing of what it answers.
  public let scaled: [String]
  /// Those with the most distant outputs first.
  public let worst: [Sample]
}

extension Differences {
  /// - Parameters:
  ///   - measure: nil for accuracy where the data has labels and the network scores for classes, else agreement.
  ///   - layerSamples: how many of the first samples layers are compared on; 0 leaves that out.
  ///   - worstCount: how many samples to name.
  /// - Throws: `CompressError` when the models are not of one network or the data does not fit it.
  public init(
    _ original: Model, _ changed: Model, on data: any Dataset, by measure: Measure? = nil, layerSamples: Int = 64,
    worstCount: Int = 10, context: WorkContext
  ) throws {
    let measure = measure ?? .standard(for: original.graph, on: data)
    for model in [original, changed] { try measure.check(model.graph, original: original.graph, fits: data) }
    guard original.graph.outputShape == changed.graph.outputShape else {
      throw CompressError(
        "outputs of shape \(original.graph.outputShape) and \(changed.graph.outputShape) cannot be compared")
    }
    let models = [original, changed]
    // Right and wrong are told by the first output alone.
    let sessions = try models.map {
      Session(
        try compile(
          measure == .accuracy ? $0.classifying() : $0, CompileOptions(maxBatch: Classifier.batch)), pool: context.pool)
    }
    // As they are to be held against each other layer by layer.
    let alike = try original.equalized(like: changed), isScaled = !alike.layers.isEmpty
    let pair = isScaled ? [alike.model, alike.other] : models
    let quantized = try Self.quantizedLayers(pair[0], pair[1])
    let samples = min(layerSamples, data.count)
    context.progress.begin("differences on \(data.name)", total: data.count + (quantized.count + 1) * samples)

    var tally = Tally(
      widths: measure == .accuracy ? [original.graph.outputShape.count] : original.graph.outputShapes.map(\.count),
      worst: worstCount)
    var done = 0
    func advance(_ count: Int) throws {
      try context.cancellation.check()
      done += count
      context.progress.update(done: done, detail: "")
    }
    try Batches(data, size: Classifier.batch).forEach(threads: context.pool.threads) { batch in
      let outputs = try sessions.map { try $0.run(batch.images) }
      tally.add(outputs[0], outputs[1], measure == .accuracy ? batch.labels : nil, count: batch.count)
      try advance(batch.count)
    }

    var cumulative: [String: ErrorSum] = [:], alone: [String: ErrorSum] = [:]
    var order: [String] = []
    if samples > 0 {
      let reference = try Layers(pair[0], pool: context.pool)
      let second = try Layers(pair[1], pool: context.pool)
      order = pair[0].graph.nodes.map(\.name)
      let images = try data.taking(samples)
      try Self.compare(reference, second, on: images, into: &cumulative, advance)
      for layer in quantized {
        let mixed = try Model.mixing(pair) { $0 == layer ? 1 : 0 }
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
    count = data.count
    correct = measure == .accuracy ? tally.correct : nil
    outputs = measure == .accuracy ? nil : tally.outputs(original.graph.outputs)
    let cosine = outputs?.map(\.error.cosine).min()
    context.progress.end(
      detail: cosine.map(Measure.agreement.text) ?? "\(tally.flips) of \(data.count) predictions differ")
    flips = tally.flips
    gained = tally.gained
    lost = tally.lost
    worst = tally.worst
    scaled = samples > 0 ? alike.layers : []
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

/// What two models answer, sample by sample.
private struct Tally {
  /// Elements of each output that is looked at.
  let widths: [Int]
  let capacity: Int
  var correct = [0, 0]
  /// Samples that each answers NaN to.
  var undefined = [0, 0]
  var flips = 0, gained = 0, lost = 0
  var worst: [Differences.Sample] = []
  private var count = 0
  private var errors: [ErrorSum]
  /// Samples of which an output's greatest element is at the same place.
  private var same: [Int]

  init(widths: [Int], worst: Int) {
    self.widths = widths
    capacity = worst
    errors = [ErrorSum](repeating: ErrorSum(), count: widths.count)
    same = [Int](repeating: 0, count: widths.count)
  }

  func outputs(_ names: [String]) -> [Agreement.Output] {
    zip(names, zip(errors, same)).map { Agreement.Output(name: $0, error: $1.0.error, same: $1.1) }
  }

  /// - Parameter labels: nil where nothing is right or wrong.
  mutating func add(_ first: Tensor, _ second: Tensor, _ labels: [Int32]?, count samples: Int) {
    let width = widths.reduce(0, +)
    let a = first.array(Float.self), b = second.array(Float.self)
    for row in 0..<samples {
      var start = row * width, predictions: [Int] = []
      for (output, size) in widths.enumerated() {
        let pair = [a, b].map { Array($0[start..<start + size]) }
        let greatest = pair.map(\.greatest)
        errors[output].add(pair[0], pair[1])
        if greatest[0] == greatest[1] { same[output] += 1 }
        if output == 0 { predictions = greatest }
        start += size
      }
      let x = a[row * width..<(row + 1) * width], y = b[row * width..<(row + 1) * width]
      for (model, row) in [x, y].enumerated() where row.contains(where: \.isNaN) { undefined[model] += 1 }
      if predictions[0] != predictions[1] { flips += 1 }
      if let label = labels?[row] {
        let isRight = predictions.map { $0 == label }
        for model in 0..<2 where isRight[model] { correct[model] += 1 }
        if isRight[1], !isRight[0] { gained += 1 }
        if isRight[0], !isRight[1] { lost += 1 }
      }
      let norm = x.reduce(0) { $0 + Double($1) * Double($1) }
      let noise = zip(x, y).reduce(0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
      let distance = norm > 0 ? (noise / norm).squareRoot() : noise.squareRoot()
      note(
        Differences.Sample(
          index: count, label: labels.map { Int($0[row]) }, predictions: predictions,
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
