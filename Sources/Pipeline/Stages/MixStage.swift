import Compression
import Datasets
import Diagnostics
import Formats
import Network
import Runtime
import Tensors

/// Chooses for each layer among several models of one network, from cheap to dear: as few layers as possible move up,
/// those first whose move takes most error off the network's output for what it costs.
///
/// Its inputs are the original, then the candidates. With the quantized model and the original itself as candidates it
/// is a rescue: the fewest layers back to float.
public struct MixStage: StageWork {
  public enum Goal: Sendable, Hashable {
    /// Accuracy at most so much below the original's, 0…1.
    case accuracy(within: Double)
    /// A native file of at most so many bytes.
    case bytes(Int)
  }

  /// What a move costs.
  public enum Price: String, Sendable {
    case layers, bytes
  }

  public let goal: Goal
  public let price: Price
  /// What accuracy is measured on, and, of its first samples, the error of outputs.
  public let data: any Dataset
  public let samples: Int
  /// What the candidates are called, for labels and notes.
  public let names: [String]

  /// - Throws: `CompressError` when the goal is out of range or there are no candidates to choose among.
  public init(_ goal: Goal, price: Price, names: [String], data: any Dataset, samples: Int = 64) throws {
    switch goal {
    case .accuracy(let within) where !(0...1).contains(within):
      throw CompressError("accuracy within \(within) of the original's: that is a share from 0 to 1")
    case .bytes(let bytes) where bytes < 1: throw CompressError("a file of \(bytes) bytes")
    default: break
    }
    guard names.count > 1 else { throw CompressError("there are no candidates to choose among") }
    guard data.count > 0, samples > 0 else { throw CompressError("\"\(data.name)\" has no samples to choose by") }
    self.goal = goal
    self.price = price
    self.names = names
    self.data = data
    self.samples = min(samples, data.count)
  }

  public var kind: String { "mix" }
  public var label: String { "choose among \(names.joined(separator: ", "))" }

  public func recipe() throws -> Recipe {
    let goal: Recipe =
      switch goal {
      case .accuracy(let within): ["accuracy": .number(within)]
      case .bytes(let bytes): ["bytes": .int(bytes)]
      }
    return [
      "goal": goal, "price": .string(price.rawValue), "data": try data.identity.recipe(), "samples": .int(samples),
      "names": .list(names.map { .string($0) }),
    ]
  }

  public func graph(inputs: [Graph]) throws -> Graph {
    try Evaluation.check(inputs[0], fits: data)
    return inputs[0]
  }

  /// A layer goes from one candidate to the next.
  private struct Move {
    let layer: Int
    let level: Int
    let worth: Double
  }

  public func run(inputs: [Model], context: StageContext) throws -> StageResult {
    let original = inputs[0], candidates = Array(inputs.dropFirst())
    let quiet = StageContext(pool: context.pool, cancellation: context.cancellation)
    let layers = candidates[0].weightLayers
    let top = candidates.count - 1
    func mixed(_ levels: [Int]) throws -> Model {
      let choice = Dictionary(uniqueKeysWithValues: zip(layers, levels))
      return try Model.mixing(candidates) { choice[$0]! }
    }
    context.progress.begin(label, total: layers.count * top + 1)
    let moves = try moves(original, layers, top, mixed, context)
    /// The levels after the first so many moves.
    func levels(after count: Int) -> [Int] {
      var levels = [Int](repeating: 0, count: layers.count)
      for move in moves.prefix(count) { levels[move.layer] = max(levels[move.layer], move.level) }
      return levels
    }

    var record = StageRecord()
    let chosen: Int
    switch goal {
    case .accuracy(let within):
      let evaluation = try Evaluation(original, on: data, context: quiet)
      try evaluation.checkDefined("the original", on: data)
      let wanted = evaluation.accuracy - within
      func isEnough(_ count: Int) throws -> Bool {
        context.progress.update(done: layers.count * top, detail: "\(count) moves")
        return try Evaluation(mixed(levels(after: count)), on: data, context: quiet).accuracy >= wanted
      }
      guard try isEnough(moves.count) else {
        throw CompressError(
          "even \(names[top]) throughout loses more than \(within.formatted(4)) of the original's accuracy on "
            + "\"\(data.name)\"")
      }
      chosen = try Self.least(moves.count, isEnough)
    case .bytes(let bytes):
      func fits(_ count: Int) throws -> Bool {
        try NativeFormat.byteCount(mixed(levels(after: count))) <= bytes
      }
      guard try fits(0) else {
        throw CompressError(
          "\(names[0]) throughout takes \(try NativeFormat.byteCount(mixed(levels(after: 0)))) bytes, more than \(bytes)"
        )
      }
      chosen = try Self.least(moves.count + 1) { $0 > moves.count ? true : try !fits($0) } - 1
    }
    let final = levels(after: chosen)
    for level in 0...top {
      let members = layers.indices.filter { final[$0] == level }.map { layers[$0] }
      record.facts["layers_\(names[level])"] = Double(members.count)
      if level > 0, !members.isEmpty { record.notes.append("\(names[level]): \(members.joined(separator: ", "))") }
    }
    let model = try mixed(final)
    context.progress.end(
      detail: (0...top).map { level in "\(final.count { $0 == level }) \(names[level])" }.joined(separator: ", "))
    return StageResult(model, record)
  }

  /// The least number from 0 to `most` for which `holds` does; it does for `most`, and for all above any.
  private static func least(_ most: Int, _ holds: (Int) throws -> Bool) rethrows -> Int {
    var low = 0, high = most
    while low < high {
      let middle = (low + high) / 2
      if try holds(middle) { high = middle } else { low = middle + 1 }
    }
    return high
  }

  /// All moves, the worthiest first; of one layer in order.
  private func moves(
    _ original: Model, _ layers: [String], _ top: Int, _ mixed: ([Int]) throws -> Model, _ context: StageContext
  ) throws -> [Move] {
    let batch = try data.batch(0..<samples), images = batch.images
    try data.checkFinite(batch, first: 0)
    func outputs(_ model: Model) throws -> [Float] {
      try context.cancellation.check()
      let session = Session(try compile(model, CompileOptions(maxBatch: min(samples, 16))), pool: context.pool)
      return try session.run(images).array()
    }
    let expected = try outputs(original)
    func error(_ levels: [Int]) throws -> Double {
      zip(expected, try outputs(mixed(levels))).reduce(0) { sum, pair in
        let error = Double(pair.0) - Double(pair.1)
        return sum + error * error
      }
    }
    var moves: [Move] = []
    for layer in layers.indices {
      // Alone below, all others at the top.
      func alone(_ level: Int) -> [Int] { layers.indices.map { $0 == layer ? level : top } }
      var before = try error(alone(0)), bytes = try NativeFormat.byteCount(mixed(alone(0)))
      var bound = Double.infinity
      for level in 1...top {
        context.progress.update(done: layer * top + level, detail: layers[layer])
        let after = try error(alone(level)), size = try NativeFormat.byteCount(mixed(alone(level)))
        let cost = price == .layers ? 1 : Double(max(1, size - bytes))
        // No move comes before the one that it starts from.
        bound = min(bound, (before - after) / cost)
        moves.append(Move(layer: layer, level: level, worth: bound))
        (before, bytes) = (after, size)
      }
    }
    return moves.sorted { ($0.worth, $1.layer, $1.level) > ($1.worth, $0.layer, $0.level) }
  }
}
