import Diagnostics
import Foundation
import Kernels
import Network
import Tensors
import Testing

@testable import Compression

@Suite struct RateDistortionRoundingTests {
  /// A layer, and inputs that vary together.
  private struct Case {
    let graph: Graph
    let node: Node
    let groups: Int
    let weight: Tensor
    let original: [Float]
    let rounded: [Float]
    static let images = 200, filters = 12, channels = 8

    init(groups: Int = 1, shift: Float = 0) throws {
      self.groups = groups
      var net = GraphBuilder(input: [3, 3, Self.channels])
      net.conv2d(filters: Self.filters, kernel: 3, padding: .valid, groups: groups, name: "conv")
      graph = try net.graph()
      node = graph["conv"]!
      var random = SeededRandom(seed: 4)
      let depth = 9 * Self.channels / groups
      var weights: [Float] = Tensor(normal: [Self.filters * depth], using: &random).array()
      for i in Swift.stride(from: 0, to: weights.count, by: 5) { weights[i] = 0 }
      weight = Tensor(weights, [Self.filters, 3, 3, Self.channels / groups])
      let common: [Float] = Tensor(normal: [Self.images * 9], using: &random).array()
      let noise: [Float] = Tensor(normal: [Self.images * 72], using: &random).array()
      let inputs = noise.indices.map { common[$0 / 8] + 0.3 * noise[$0] }
      original = inputs
      rounded = inputs.indices.map { inputs[$0] * (1 + shift) + shift * noise[$0] }
    }

    var depth: Int { weight.count / Self.filters }

    func products(_ pool: ThreadPool) throws -> InputProducts {
      let products = RateDistortionRounding.products(graph, node)
      try original.withUnsafeBufferPointer { original in
        try rounded.withUnsafeBufferPointer {
          try products.observe(original: original, rounded: $0, pool: pool)
        }
      }
      return products
    }

    func rounding(threads: Int = 1) throws -> (RateDistortionRounding, ThreadPool) {
      let pool = try ThreadPool(threads: threads, smallestWork: 0)
      return (try RateDistortionRounding(weight, products(pool), pool: pool), pool)
    }

    /// What filter's inputs are at the one pixel of an image.
    func input(_ values: [Float], image: Int, filter: Int, _ i: Int) -> Double {
      let perGroup = Self.channels / groups, first = filter / (Self.filters / groups) * perGroup
      return Double(values[image * 72 + i / perGroup * 8 + first + i % perGroup])
    }

    /// The squared error of the output, in the mean over images.
    func error(_ levels: [Int8], step: Float) -> Double {
      let w: [Float] = weight.array()
      var sum = 0.0
      for image in 0..<Self.images {
        for filter in 0..<Self.filters {
          var missing = 0.0
          for i in 0..<depth {
            missing += Double(w[filter * depth + i]) * input(original, image: image, filter: filter, i)
            missing -=
              Double(levels[filter * depth + i]) * Double(step) * input(rounded, image: image, filter: filter, i)
          }
          sum += missing * missing
        }
      }
      return sum / Double(Self.images)
    }

    func nearest(step: Float) -> [Int8] {
      weight.array(Float.self).map { Int8(($0 / step).rounded(.toNearestOrEven)) }
    }
  }

  /// Bits of all levels together, by their frequencies.
  private func entropy(_ levels: [Int8]) -> Double {
    var counts: [Int8: Int] = [:]
    for level in levels { counts[level, default: 0] += 1 }
    return counts.values.reduce(0) { $0 - Double($1) * log2(Double($1) / Double(levels.count)) }
  }

  /// Several blocks, of which the last is not full.
  @Test func factorsMultiplyToTheMatrix() throws {
    let count = 150, pool = try ThreadPool(threads: 2, smallestWork: 0)
    var random = SeededRandom(seed: 1)
    let x: [Float] = Tensor(normal: [count * count], using: &random).array()
    var matrix = [Float](repeating: 0, count: count * count)
    for i in 0..<count {
      for j in 0..<count {
        let sum = (0..<count).reduce(0.0) { $0 + Double(x[i * count + $1]) * Double(x[j * count + $1]) }
        matrix[i * count + j] = Float(sum) + (i == j ? 10 : 0)
      }
    }
    let factor = try #require(try TriangularFactor(matrix, count: count, pool: pool))
    var worst = 0.0
    for i in 0..<count {
      for j in 0..<count {
        let sum = (0..<count).reduce(0.0) {
          $0 + Double(factor.rows[i * count + $1]) * Double(factor.rows[j * count + $1])
        }
        worst = max(worst, abs(sum - Double(matrix[i * count + j])))
        if j > i { #expect(factor.rows[i * count + j] == 0) }
      }
    }
    #expect(worst < 2e-3, "\(worst)")
    // What is wanted of each number, where all get it, is what L was multiplied with.
    let wanted: [Float] = Tensor(normal: [count * 3], using: &random).array()
    var targets = [Float](repeating: 0, count: count * 3), right = targets
    for j in 0..<count {
      for c in 0..<3 {
        let sum = (j..<count).reduce(0.0) { $0 + Double(wanted[$1 * 3 + c]) * Double(factor.rows[$1 * count + j]) }
        targets[j * 3 + c] = Float(sum)
        right[j * 3 + c] = Float(
          (0...j).reduce(0.0) { $0 + Double(factor.rows[j * count + $1]) * Double(wanted[$1 * 3 + c]) })
      }
    }
    let chosen = try factor.descend(&targets, columns: 3, pool: pool) { $2 }
    #expect(zip(chosen, wanted).allSatisfy { abs($0 - $1) < 1e-2 })
    try factor.solve(&right, columns: 3, pool: pool)
    #expect(zip(right, wanted).allSatisfy { abs($0 - $1) < 1e-2 })
    matrix[0] = -1
    #expect(try TriangularFactor(matrix, count: count, pool: pool) == nil)
  }

  /// Without a price for bits: GPTQ as published, with the inverse's Cholesky factor, in double precision.
  @Test(arguments: [1, 2]) func withoutAPriceItIsGPTQ(_ groups: Int) throws {
    let row = try Case(groups: groups), step: Float = 0.3
    let (rounding, pool) = try row.rounding()
    let found: [Int8] = try rounding.levels(step: step, trade: 0, limit: 127, pool: pool).values.array()
    let depth = row.depth, each = Case.filters / groups
    var expected = [Int8](repeating: 0, count: found.count)
    for group in 0..<groups {
      var h = [[Double]](repeating: [Double](repeating: 0, count: depth), count: depth)
      for image in 0..<Case.images {
        let x = (0..<depth).map { row.input(row.original, image: image, filter: group * each, $0) }
        for i in 0..<depth { for j in 0..<depth { h[i][j] += x[i] * x[j] } }
      }
      let damping = 0.01 * (0..<depth).reduce(0) { $0 + h[$1][$1] } / Double(depth)
      let order = (0..<depth).sorted { (h[$0][$0], -$0) > (h[$1][$1], -$1) }
      let upper = Self.upperFactorOfInverse(order.map { i in order.map { h[i][$0] + (i == $0 ? damping : 0) } })
      for filter in group * each..<(group + 1) * each {
        var w = order.map { Double(row.weight.array(Float.self)[filter * depth + $0]) }
        for j in 0..<depth {
          let isZero = row.weight.array(Float.self)[filter * depth + order[j]] == 0
          let level = isZero ? 0 : (w[j] / Double(step)).rounded(.toNearestOrEven)
          expected[filter * depth + order[j]] = Int8(level)
          let error = (w[j] - level * Double(step)) / upper[j][j]
          for k in j..<depth { w[k] -= error * upper[j][k] }
        }
      }
    }
    let same = zip(found, expected).count { $0 == $1 }
    #expect(Double(same) > 0.98 * Double(found.count), "\(same) of \(found.count)")
    #expect(zip(found, expected).allSatisfy { abs(Int($0) - Int($1)) <= 2 })
    #expect(row.error(found, step: step) < 0.6 * row.error(row.nearest(step: step), step: step))
  }

  /// U with `A⁻¹ = Uᵀ U`.
  private static func upperFactorOfInverse(_ a: [[Double]]) -> [[Double]] {
    let n = a.count
    // Gauss and Jordan.
    var left = a, inverse = (0..<n).map { i in (0..<n).map { $0 == i ? 1.0 : 0 } }
    for i in 0..<n {
      let pivot = left[i][i]
      for k in 0..<n { (left[i][k], inverse[i][k]) = (left[i][k] / pivot, inverse[i][k] / pivot) }
      for r in 0..<n where r != i {
        let factor = left[r][i]
        for k in 0..<n {
          left[r][k] -= factor * left[i][k]
          inverse[r][k] -= factor * inverse[i][k]
        }
      }
    }
    var upper = [[Double]](repeating: [Double](repeating: 0, count: n), count: n)
    for i in 0..<n {
      for j in i..<n {
        let sum = (0..<i).reduce(inverse[i][j]) { $0 - upper[$1][i] * upper[$1][j] }
        upper[i][j] = i == j ? sum.squareRoot() : sum / upper[i][i]
      }
    }
    return upper
  }

  /// Beside plain rounding to steps that take as many bits, outputs err much less.
  @Test(arguments: [1, 2, 4], [0, 0.1] as [Float]) func outputsErrLessForTheirBits(
    _ groups: Int, _ shift: Float
  ) throws {
    let row = try Case(groups: groups, shift: shift)
    let (rounding, pool) = try row.rounding()
    var before: (bits: Double, error: Double)?
    for trade in [0.02, 0.1, 0.5] {
      let found = try rounding.levels(trade: trade, limit: 127, pool: pool)
      let levels: [Int8] = found.values.array(), bits = entropy(levels), error = row.error(levels, step: found.step)
      // The finest steps that take no fewer bits.
      var step = found.step / 2
      while entropy(row.nearest(step: step)) > bits { step *= 1.02 }
      let plain = row.error(row.nearest(step: step / 1.02), step: step / 1.02)
      #expect(error < 0.85 * plain, "trade \(trade): \(error), \(plain)")
      if let before { #expect(bits < before.bits && error > before.error) }
      before = (bits, error)
      let w: [Float] = row.weight.array()
      #expect(w.indices.allSatisfy { w[$0] != 0 || levels[$0] == 0 })
      let (again, threads) = try row.rounding(threads: 3)
      let same = try again.levels(trade: trade, limit: 127, pool: threads)
      #expect(same.values.array() == levels && same.step == found.step)
    }
  }

  @Test func limitsHold() throws {
    let row = try Case()
    let (rounding, pool) = try row.rounding()
    let few = try rounding.levels(trade: 0, limit: 1, pool: pool)
    #expect(few.values.array(Int8.self).allSatisfy { abs($0) <= 1 })
    // Bits that are worth more than all outputs leave nothing.
    let none = try rounding.levels(trade: 1e12, limit: 127, pool: pool)
    #expect(none.values.array(Int8.self).allSatisfy { $0 == 0 })
    let most = try rounding.levels(trade: 0, limit: 127, pool: pool)
    let peak = row.weight.array(Float.self).map { abs($0) }.max()!
    #expect(most.step == peak / 127 && most.values.array(Int8.self).map { abs(Int($0)) }.max()! > 120)
  }

  /// Inputs that are always zero say nothing: weights become what is nearest.
  @Test func withoutInputsItRounds() throws {
    let row = try Case(), pool = try ThreadPool(threads: 1)
    let products = RateDistortionRounding.products(row.graph, row.node)
    let zeros = [Float](repeating: 0, count: 720)
    try zeros.withUnsafeBufferPointer { try products.observe(original: $0, rounded: $0, pool: pool) }
    let rounding = try RateDistortionRounding(row.weight, products, pool: pool)
    let found = try rounding.levels(trade: 0.1, limit: 127, pool: pool)
    #expect(found.values.array() == row.nearest(step: found.step))
    var bad = row.weight.array(Float.self)
    bad[7] = .nan
    #expect(throws: CompressError.self) {
      try RateDistortionRounding(Tensor(bad, row.weight.shape), products, pool: pool)
    }
  }

  /// Rarer levels take more bits, and those that nobody has can be had.
  @Test func ratesFollowFrequencies() {
    let rates = LevelRates(counts: [80, 16, 4, 0])
    #expect(abs(rates[0] + log2f(0.8)) < 0.1 && rates[0] < rates[1] && rates[1] < rates[2] && rates[2] < rates[3])
    #expect(rates[-2] == rates[2] && rates[3].isFinite)
    #expect(abs(rates[1] - (1 - log2f(0.16))) < 0.3)
  }
}
