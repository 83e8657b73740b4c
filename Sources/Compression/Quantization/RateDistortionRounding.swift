import Diagnostics
import Kernels
import Network
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Rounds one layer's weight to whole steps so that what its output errs and what the levels take, together, is little:
/// `W x` is wanted, x being what reaches the layer in the original network, and `step · q x'` is had, x' being what
/// reaches it from layers that are rounded already.
///
/// Weight by weight, in all filters at once, those first whose inputs are largest: each becomes the level near what is
/// wanted of it that has the least sum of the squared error that no later weight can make up for and of the trade times
/// its bits; what it errs is made up for by those that come later (Frantar et al. 2022, GPTQ, by way of the Cholesky
/// factor instead of the inverse; with a price for bits as in CERWU, arXiv 2505.18758). A weight that is zero stays zero.
public struct RateDistortionRounding {
  /// Levels of a layer: the weight is `step` times them.
  public struct Levels: Sendable {
    /// int8, of the weight's shape.
    public let values: Tensor
    public let step: Float

    public init(values: Tensor, step: Float) {
      self.values = values
      self.step = step
    }
  }

  /// One square of products: of a group's filters, of a block of their weights.
  fileprivate struct Part {
    let group: Int
    let range: Range<Int>
    /// The weights of the range, from the one that comes last to the one that comes first.
    let order: [Int]
    let factor: TriangularFactor
    /// What rows of L times levels are to add up to, a column for each filter.
    let targets: [Float]
  }

  /// Of the mean of the squared inputs: by so much weights are held to what they were, where samples say little.
  fileprivate static let damping: Float = 0.01
  /// Squared steps for a trade: with cheaper bits finer steps would only be rounded away again. Measured on ResNet20:
  /// from 2 to 3 there is no difference.
  private static let spread = 2.0
  /// Rates follow the levels that were chosen by those before.
  private static let rounds = 2
  /// Longer filters are cut into `InputProducts` of fewer weights.
  private static let longest = 4608, block = 2048
  /// Places of each sample that are looked at.
  private static let places = 32

  private let weight: [Float]
  private let shape: Shape
  private let groups: Int
  private let rows: Int
  private let parts: [Part]

  /// What to have the layer's inputs observed by.
  public static func products(_ graph: Graph, _ node: Node) -> InputProducts {
    let depth = LayerPatches(graph, node).depth
    return InputProducts(graph, node, block: depth <= longest ? max(depth, 1) : block, places: places)
  }

  /// - Parameters:
  ///   - weight: float32, `[filters, …]`.
  ///   - products: of the layer's inputs.
  /// - Throws: `CompressError` when a weight is not finite, or the running work is to stop.
  public init(_ weight: Tensor, _ products: InputProducts, pool: ThreadPool) throws {
    if let bad = weight.firstNonFinite {
      throw CompressError("weight \(bad.value) at \(bad.index) is not finite", kind: .input)
    }
    let values = weight.array(Float.self)
    self.weight = values
    shape = weight.shape
    groups = products.groups
    rows = products.count
    let depth = products.depth, each = weight.shape[0] / max(groups, 1)
    var parts: [Part] = []
    for group in 0..<groups {
      for index in 0..<products.blocks {
        let range = products.range(index), sums = products.sums(group: group, block: index)
        let part = try Part(
          group: group, range: range, sums, each: each, pool: pool,
          weight: { filter, i in values[(group * each + filter) * depth + i] })
        if let part { parts.append(part) }
      }
    }
    self.parts = parts
  }

  /// The levels for a trade.
  ///
  /// - Parameters:
  ///   - trade: the squared error of the layer's output, summed over its filters, at one place, that a bit is worth; 0
  ///     asks for as many levels as there may be.
  ///   - limit: the greatest level, at most 127.
  /// - Throws: `CompressError` when the running work is to stop.
  public func levels(trade: Double, limit: Int, pool: ThreadPool) throws -> Levels {
    let peak = weight.reduce(0) { max($0, abs($1)) }, most = Float(limit)
    guard peak / most >= .leastNormalMagnitude else {
      return Levels(values: Tensor(zeros: shape, dtype: .int8), step: 1)
    }
    let step = min(max(Float(best(trade)), peak / most), peak)
    return try levels(step: step, trade: trade, limit: limit, pool: pool)
  }

  /// The same at a given step, which all weights are within `limit` of.
  public func levels(step: Float, trade: Double, limit: Int, pool: ThreadPool) throws -> Levels {
    let filters = shape[0], depth = weight.count / max(filters, 1), each = filters / max(groups, 1)
    let most = Float(limit)
    // Where nothing is known of a weight's inputs it is rounded to what is nearest.
    var levels = weight.map { min(max(($0 / step).rounded(.toNearestOrEven), -most), most) }
    for _ in 0..<Self.rounds {
      let rates = LevelRates(of: levels, limit: limit)
      for part in parts {
        var targets = part.targets
        let first = part.group * each
        let factor = part.factor, order = part.order, count = Double(max(rows, 1))
        // Of a squared step's error at each place, in bits.
        let worth = (0..<factor.count).map { j -> Float in
          let diagonal = Double(factor.rows[j * factor.count + j]) * Double(step)
          return trade > 0 ? Float(min(diagonal * diagonal / (count * trade), 1e30)) : 1
        }
        let price: Float = trade > 0 ? 1 : 0
        let chosen = try factor.descend(&targets, columns: each, pool: pool) { row, filter, wanted in
          guard weight[(first + filter) * depth + part.range.lowerBound + order[row]] != 0 else { return 0 }
          return step * Self.level(wanted / step, most, worth[row], price, rates)
        }
        for (row, place) in order.enumerated() {
          for filter in 0..<each {
            levels[(first + filter) * depth + part.range.lowerBound + place] =
              (chosen[row * each + filter] / step).rounded(.toNearestOrEven)
          }
        }
      }
    }
    return Levels(values: Tensor(levels.map { Int8($0) }, shape), step: step)
  }

  /// The cheapest of the nearest level, the two below it and zero.
  private static func level(
    _ wanted: Float, _ most: Float, _ worth: Float, _ price: Float, _ rates: LevelRates
  ) -> Float {
    let nearest = min(max(wanted.rounded(.toNearestOrEven), -most), most)
    var best = nearest, least = Float.infinity
    func consider(_ level: Float) {
      let error = wanted - level, cost = worth * error * error + price * rates[level]
      if cost < least { (best, least) = (level, cost) }
    }
    consider(nearest)
    let toZero: Float = nearest > 0 ? -1 : 1
    if nearest != 0 { consider(nearest + toZero) }
    if abs(nearest) > 1 { consider(nearest + 2 * toZero) }
    if abs(nearest) > 2 { consider(0) }
    return best
  }

  /// The step at which a bit more for each weight would take as much off the error as it is worth: a step's squared
  /// error is a twelfth of its square, and falls by 2 ln 2 times itself for a bit.
  private func best(_ trade: Double) -> Double {
    var sum = 0.0, count = 0
    for part in parts {
      for j in 0..<part.factor.count {
        sum += 2 * log(Double(part.factor.rows[j * part.factor.count + j]))
        count += 1
      }
    }
    guard count > 0, rows > 0, trade > 0 else { return 0 }
    let worth = exp(sum / Double(count)) / Double(rows)
    let step = (Self.spread * 6 * trade / (worth * log(2))).squareRoot()
    return step.isFinite ? min(step, 1e30) : 1e30
  }
}

extension RateDistortionRounding.Part {
  /// nil where the inputs were all zero.
  ///
  /// - Parameters:
  ///   - each: filters of the group.
  ///   - weight: of a filter of the group, at a place of the filter.
  fileprivate init?(
    group: Int, range: Range<Int>, _ sums: (own: [Float], cross: [Float]), each: Int, pool: ThreadPool,
    weight: (_ filter: Int, _ place: Int) -> Float
  ) throws {
    let count = range.count
    guard count > 0, each > 0 else { return nil }
    let diagonal = (0..<count).map { sums.own[$0 * count + $0] }
    let mean = diagonal.reduce(0, +) / Float(count)
    guard mean > 0, mean.isFinite else { return nil }
    // The last one is chosen for first.
    let order = (0..<count).sorted { (diagonal[$0], $1) < (diagonal[$1], $0) }
    var damping = RateDistortionRounding.damping * mean
    var factor: TriangularFactor?
    while factor == nil {
      var matrix = [Float](repeating: 0, count: count * count)
      for (row, i) in order.enumerated() {
        for column in 0...row { matrix[row * count + column] = sums.own[i * count + order[column]] }
        matrix[row * count + row] += damping
      }
      factor = try TriangularFactor(matrix, count: count, pool: pool)
      // Sums in float32 may be a little off from what is positive definite.
      if factor == nil { damping *= 4 }
      guard damping.isFinite else { return nil }
    }
    // (W C + d W) for each filter, in the order.
    var weights = [Float](repeating: 0, count: each * count)
    for filter in 0..<each {
      for i in 0..<count { weights[filter * count + i] = weight(filter, range.lowerBound + i) }
    }
    let product = MatrixProduct(m: count, n: each, k: count, transposeA: true, transposeB: true)
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: product.scratchBytes, alignment: 64)
    defer { scratch.deallocate() }
    var wanted = [Float](repeating: 0, count: count * each)
    wanted.withUnsafeMutableBufferPointer {
      product.run(a: sums.cross, b: weights, c: $0.baseAddress!, scratch: scratch, pool: pool)
    }
    var targets: [Float] = []
    targets.reserveCapacity(count * each)
    for i in order {
      for filter in 0..<each { targets.append(wanted[i * each + filter] + damping * weights[filter * count + i]) }
    }
    try factor!.solve(&targets, columns: each, pool: pool)
    self.init(group: group, range: range, order: order, factor: factor!, targets: targets)
  }
}
