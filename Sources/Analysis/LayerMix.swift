import Compression
import Datasets
import Diagnostics
import Network
import Runtime

/// Chooses for each layer among several models of one network, from cheap to dear: as few layers as possible move up,
/// those first whose move takes most error off the network's output for what it costs.
public struct LayerMix {
  public enum Goal: Sendable, Hashable {
    /// Accuracy at most so much below the original's, 0…1.
    case accuracy(within: Double)
    /// The least cosine of any output with the original's.
    case agreement(cosine: Double)
    /// A file of at most so many bytes.
    case bytes(Int)
    /// At most so many milliseconds.
    case latency(Double)
  }

  /// What a move costs.
  public enum Price: String, Sendable {
    case layers, bytes, latency
  }

  /// A layer goes from one candidate to the next.
  private struct Move {
    let layer: Int
    let level: Int
    let worth: Double
  }

  public let original: Model
  public let candidates: [Model]
  /// What the candidates are called.
  public let names: [String]
  /// The layers with weights, in the network's order.
  public let layers: [String]
  private let data: any Dataset
  private let samples: Int
  private let byteCount: (Model) throws -> Int
  private let milliseconds: (Model) throws -> Double

  /// - Parameters:
  ///   - candidates: two or more, from cheap to dear.
  ///   - data: what accuracy or agreement is measured on, and, of its first `samples`, the error of outputs.
  ///   - byteCount: of a file with a model.
  ///   - milliseconds: how long a model takes, where that is the goal or the price.
  public init(
    of original: Model, _ candidates: [Model], names: [String], on data: any Dataset, samples: Int,
    byteCount: @escaping (Model) throws -> Int,
    milliseconds: @escaping (Model) throws -> Double = { _ in preconditionFailure("nobody said how long it takes") }
  ) {
    precondition(candidates.count > 1 && names.count == candidates.count)
    self.original = original
    self.candidates = candidates
    self.names = names
    self.data = data
    self.samples = samples
    self.byteCount = byteCount
    self.milliseconds = milliseconds
    layers = candidates[0].weightLayers
  }

  private var top: Int { candidates.count - 1 }

  /// Steps of progress that choosing takes.
  public var steps: Int { layers.count * top + 1 }

  /// The model that has each layer from the candidate of its level.
  public func model(_ levels: [Int]) throws -> Model {
    let choice = Dictionary(uniqueKeysWithValues: zip(layers, levels))
    return try Model.mixing(candidates) { choice[$0]! }
  }

  /// For each layer the position of its candidate.
  ///
  /// - Throws: `CompressError` when the goal cannot be reached, a sample is not finite, the original answers NaN, or
  ///   stopping was requested.
  public func levels(for goal: Goal, price: Price, context: WorkContext) throws -> [Int] {
    let moves = try moves(price, context)
    /// The levels after the first so many moves.
    func levels(after count: Int) -> [Int] {
      var levels = [Int](repeating: 0, count: layers.count)
      for move in moves.prefix(count) { levels[move.layer] = max(levels[move.layer], move.level) }
      return levels
    }

    switch goal {
    case .accuracy(let within):
      let judge = try Judge(.accuracy, original: original, on: data, context: context)
      let wanted = try judge.score(of: "the original", original) - within
      return levels(
        after: try least(moves, judge, wanted, context, levels(after:)) {
          CompressError(
            "even \(names[top]) throughout loses more than \(within.formatted(4)) of the original's accuracy on "
              + "\"\(data.name)\"")
        })
    case .agreement(let wanted):
      let judge = try Judge(.agreement, original: original, on: data, context: context)
      let count = try least(moves, judge, wanted, context, levels(after:)) {
        CompressError(
          "even \(names[top]) throughout agrees less with the original than cosine \(wanted.formatted(4)) on "
            + "\"\(data.name)\"")
      }
      return try withoutNeedless(levels(after: count), moves.prefix(count), judge, wanted, context)
    case .bytes(let most):
      func bytes(_ count: Int) throws -> Int { try byteCount(model(levels(after: count))) }
      let least = try bytes(0)
      guard least <= most else {
        throw CompressError("\(names[0]) throughout takes \(least) bytes, more than \(most)")
      }
      return levels(after: try Self.least(moves.count + 1) { $0 > moves.count ? true : try bytes($0) > most } - 1)
    case .latency(let most):
      // Conversions come and go between neighbours: more moves may take less.
      var found: Int?, least = Double.infinity
      for count in 0...moves.count {
        let taken = try milliseconds(model(levels(after: count)))
        least = min(least, taken)
        if taken <= most { found = count }
      }
      guard let found else {
        throw CompressError(
          "\(most.formatted(4)) ms cannot be reached: of all that were tried the fastest takes \(least.formatted(4))")
      }
      return levels(after: found)
    }
  }

  /// How many of the moves it takes until a model is worth what is wanted.
  private func least(
    _ moves: [Move], _ judge: Judge, _ wanted: Double, _ context: WorkContext, _ levels: (Int) -> [Int],
    unreachable: () -> CompressError
  ) throws -> Int {
    func isEnough(_ count: Int) throws -> Bool {
      context.progress.update(done: layers.count * top, detail: "\(count) moves")
      return try judge.score(model(levels(count))) >= wanted
    }
    guard try isEnough(moves.count) else { throw unreachable() }
    return try Self.least(moves.count, isEnough)
  }

  /// The same without moves that the goal is reached without: what a move is worth while all other layers are at the
  /// top is not what it is worth among those that were made. A cosine is fine enough to tell; a share of right answers
  /// would be fitted to its samples.
  private func withoutNeedless(
    _ levels: [Int], _ moves: ArraySlice<Move>, _ judge: Judge, _ wanted: Double, _ context: WorkContext
  ) throws -> [Int] {
    var levels = levels
    for move in moves.reversed() where levels[move.layer] == move.level {
      context.progress.update(done: layers.count * top, detail: "without \(layers[move.layer])")
      var fewer = levels
      fewer[move.layer] -= 1
      if try judge.score(model(fewer)) >= wanted { levels = fewer }
    }
    return levels
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
  private func moves(_ price: Price, _ context: WorkContext) throws -> [Move] {
    let batch = try data.batch(0..<samples), images = batch.images
    try data.checkFinite(batch, first: 0)
    let outputs = try OutputError(of: original, on: images, context: context)
    func error(_ levels: [Int]) throws -> Double { try outputs.of(model(levels)) }
    var moves: [Move] = []
    for layer in layers.indices {
      // Alone below, all others at the top.
      func alone(_ level: Int) -> [Int] { layers.indices.map { $0 == layer ? level : top } }
      func asks(_ level: Int) throws -> Double {
        switch price {
        case .layers: return Double(level)
        case .bytes: return Double(try byteCount(model(alone(level))))
        case .latency: return try milliseconds(model(alone(level)))
        }
      }
      var before = try error(alone(0)), paid = try asks(0)
      var bound = Double.infinity
      for level in 1...top {
        context.progress.update(done: layer * top + level, detail: layers[layer])
        let after = try error(alone(level)), asked = try asks(level)
        // A byte, a nanosecond: what costs nothing is worth much, and not beyond all measure.
        let cost = max(price == .latency ? 1e-6 : 1, asked - paid)
        // No move comes before the one that it starts from.
        bound = min(bound, (before - after) / cost)
        moves.append(Move(layer: layer, level: level, worth: bound))
        (before, paid) = (after, asked)
      }
    }
    return moves.sorted { ($0.worth, $1.layer, $1.level) > ($1.worth, $0.layer, $0.level) }
  }
}
