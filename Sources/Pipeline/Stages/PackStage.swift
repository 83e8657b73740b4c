import Analysis
import Datasets
import Diagnostics
import Formats
import Network

/// Rounds weights to few levels so that the packed file becomes small for what it errs (`RateDistortion`), by a given
/// trade of the two or by one that is searched for.
public struct PackStage: StageWork {
  public enum Goal: Sendable, Hashable {
    /// The squared error of the outputs, relative to their squares, that a bit for every weight is worth.
    case lambda(Double)
    /// The smallest packed file whose accuracy on the data, or cosine where it has no labels, is at most so much below
    /// the original's.
    case within(Double)
    /// The best network whose packed file has at most so many bytes.
    case bytes(Int)
  }

  public let goal: Goal
  public let data: any Dataset
  /// How many samples of the data are looked at by those who round.
  public let samples: Int
  /// Decides which.
  public let seed: UInt64

  public static let standardSamples = 512
  /// Where a search begins.
  static let firstLambda = 0.01
  /// Beyond these a search does not look: to the finest levels below, and all zeros above.
  static let lambdas = 1e-6...16.0
  /// By so much trades differ while a search has not found both sides of its goal, and when it ends.
  private static let stride = 4.0, narrowest = 1.13

  /// - Throws: `CompressError` when a number is out of range, or there are no samples.
  public init(_ goal: Goal, data: any Dataset, samples: Int = standardSamples, seed: UInt64 = 0) throws {
    switch goal {
    case .lambda(let lambda) where !(lambda >= 0 && lambda.isFinite):
      throw CompressError("lambda = \(lambda): a bit cannot be worth that; it is 0 or more, such as 0.01")
    case .within(let within) where !(0...1).contains(within):
      throw CompressError("within \(within) of the original's accuracy: that is a share from 0 to 1")
    case .bytes(let bytes) where bytes < 1: throw CompressError("a file of \(bytes) bytes")
    default: break
    }
    guard samples > 0 else { throw CompressError("\(samples) samples to round by; at least 1 is needed") }
    guard data.count > 0 else { throw CompressError("\"\(data.name)\" has no samples to round by") }
    self.goal = goal
    self.data = data
    self.samples = min(samples, data.count)
    self.seed = seed
  }

  public var kind: String { "pack" }
  public var label: String {
    switch goal {
    case .lambda(let lambda): "pack at lambda \(lambda.short)"
    case .within(let within): "pack within \(within.short)"
    case .bytes(let bytes): "pack to \(bytes) bytes"
    }
  }

  public func recipe() throws -> Recipe {
    let aim: Recipe =
      switch goal {
      case .lambda(let lambda): ["lambda": .number(lambda)]
      case .within(let within): ["within": .number(within)]
      case .bytes(let bytes): ["bytes": .int(bytes)]
      }
    return [
      "goal": aim, "data": try data.identity.recipe(), "samples": .int(samples),
      "seed": .int(Int(bitPattern: UInt(seed))),
    ]
  }

  public func graph(inputs: [Graph]) throws -> Graph {
    guard inputs[0].nodes.contains(where: { $0.op.hasWeight }) else {
      throw CompressError("there are no weights to round")
    }
    if case .within = goal {
      try Measure.standard(for: inputs[0], on: data).check(inputs[0], original: inputs[0], fits: data)
    } else {
      try Evaluation.checkShape(inputs[0], fits: data)
    }
    return inputs[0]
  }

  /// One trade that was tried.
  private struct Trial {
    let lambda: Double
    let model: Model
    let bytes: Int
    /// nil where nobody asked.
    let score: Double?
  }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    let progress = context.progress
    var steps = 0
    /// A search does not know how long it will be: each network is a piece of work of its own.
    func begin(_ what: String, _ total: Int) {
      steps = 0
      progress.begin("\(label)\(what)", total: total)
    }
    func step(_ layer: String) throws {
      try context.step()
      progress.update(done: steps, detail: layer)
      steps += 1
    }
    begin(": which layers matter", inputs[0].weightLayers.count)
    let chosen = samples == data.count ? data : try data.sampled(samples, seed: seed)
    let rounding = try RateDistortion(of: inputs[0], on: chosen, context: context.work, onStep: step)
    progress.end(detail: "\(rounding.layers.count) layers")

    var judge: Judge?, wanted = 0.0
    let measure = Measure.standard(for: inputs[0].graph, on: data)
    var record = StageRecord()
    if case .within(let within) = goal {
      judge = try Judge(measure, original: inputs[0], on: data, context: context.work)
      let whole = try judge!.score(of: "the original", inputs[0])
      wanted = whole - within
      record.facts["\(measure.rawValue)_before"] = whole
    }
    func trial(_ lambda: Double) throws -> Trial {
      if case .lambda = goal { begin("", rounding.layers.count) } else {
        begin(", lambda \(lambda.short)", rounding.layers.count)
      }
      let model = try rounding.model(lambda: lambda, onStep: step)
      let bytes = try PackedFormat.byteCount(model), score = try judge?.score(model)
      let trial = Trial(lambda: lambda, model: model, bytes: bytes, score: score)
      let told = "\(bytes) bytes" + (score.map { ", \(measure.text($0))" } ?? "")
      record.notes.append("lambda \(lambda.short): \(told)")
      progress.end(detail: told)
      return trial
    }
    let found: Trial
    switch goal {
    case .lambda(let lambda): found = try trial(lambda)
    case .within(let within):
      let (met, best) = try search(trial, meets: { $0.score! >= wanted }, prefersMore: true)
      found = met ?? best
      if met == nil {
        record.warn(
          "not within \(within.short) of the original's \(measure.text(wanted + within)): with the finest levels "
            + "it is \(measure.text(found.score!)), and that is the result")
      }
    case .bytes(let bytes):
      let (met, best) = try search(trial, meets: { $0.bytes <= bytes }, prefersMore: false)
      found = met ?? best
      if met == nil {
        record.warn(
          "not as small as \(bytes) bytes: rounded as coarsely as may be it takes \(found.bytes), and that is the "
            + "result")
      }
    }
    record.facts["lambda"] = found.lambda
    record.facts["packed_bytes"] = Double(found.bytes)
    if let score = found.score { record.facts[measure.rawValue] = score }
    if !rounding.left.isEmpty { record.notes.append("left as they are: \(rounding.left.joined(separator: ", "))") }
    return StageResult(found.model, record)
  }

  /// The trade that just meets the goal, in steps of a power of the last one.
  ///
  /// - Parameters:
  ///   - prefersMore: whether the greatest trade that meets it is looked for, else the least. On the other side of that
  ///     one none is taken to meet it.
  /// - Returns: what meets the goal, if anything does, and what comes nearest to it otherwise.
  private func search(
    _ trial: (Double) throws -> Trial, meets: (Trial) -> Bool, prefersMore: Bool
  ) throws -> (met: Trial?, last: Trial) {
    var met: Trial?, missed: Double?, last = try trial(Self.firstLambda)
    func take(_ trial: Trial) {
      if meets(trial) { met = trial } else { missed = trial.lambda }
    }
    take(last)
    // Away from the first one until both sides are known.
    let outward = meets(last) == prefersMore ? Self.stride : 1 / Self.stride
    while met == nil || missed == nil {
      var next = last.lambda * outward
      if next < Self.lambdas.lowerBound {
        // No bit is saved: the end.
        guard last.lambda > 0 else { break }
        next = 0
      }
      guard next <= Self.lambdas.upperBound else { break }
      last = try trial(next)
      take(last)
    }
    guard var best = met, let first = missed else { return (met, last) }
    var other = first
    while true {
      // Between nothing and the least trade there is no middle worth looking for.
      let low = min(best.lambda, other), high = max(best.lambda, other)
      guard low > 0, high / low > Self.narrowest else { break }
      let next = try trial((low * high).squareRoot())
      if meets(next) { best = next } else { other = next.lambda }
    }
    return (best, best)
  }
}
