import Testing

@testable import Kernels

/// Products of two values, attention, softmax, normalizations and bilinear resizing of codes: every instruction set,
/// whole tiles and ragged ends, against the formulas of docs/integer-arithmetic.md.
@Suite struct IntegerRowTests {
  private let from = AffineQuantization(scale: 0.031, zeroPoint: 121)
  private let other = AffineQuantization(scale: 0.017, zeroPoint: 7)
  private let third = AffineQuantization(scale: 0.011, zeroPoint: 200)

  private func coded(_ x: Float, _ to: AffineQuantization) -> UInt8 {
    UInt8(min(max(x.rounded(.toNearestOrEven) + Float(to.zeroPoint), 0), Float(to.limit)))
  }
  private func centred(_ codes: ArraySlice<UInt8>, _ from: AffineQuantization) -> [Int] {
    codes.map { Int($0) - Int(from.zeroPoint) }
  }

  private func check(
    _ step: PreparedStep, _ inputs: [Guarded<UInt8>], _ expected: [UInt8], batch: Int, _ what: String
  ) throws {
    for threads in [1, 2] {
      let pool = try ThreadPool(threads: threads, smallestWork: 0)
      for isa in supportedSets {
        let out = Guarded<UInt8>(expected.count, filling: 0x5A)
        let keeps = runMoved(
          PreparedStep(copying: step), isa: isa, inputs.map { UnsafeRawPointer($0.base) }, to: out.base, batch: batch,
          pool: pool)
        #expect(keeps && out.isIntact && out.array == expected, "\(what) on \(isa), \(threads) threads")
      }
    }
  }

  @Test func products() throws {
    var numbers = Numbers(1)
    let shapes = [(1, 1, 1), (3, 5, 2), (14, 32, 64), (15, 33, 63), (29, 70, 17), (2, 65, 130), (5, 1, 300)]
    for (index, (m, n, k)) in shapes.enumerated() {
      let isEven = index % 2 == 0
      for (repeatsA, repeatsB, transposes) in [(false, false, true), (true, false, false), (false, true, isEven)] {
        let batch = 2, matrices = 3
        let to = AffineQuantization(scale: 0.4 * Float(k).squareRoot(), zeroPoint: 90, limit: isEven ? 255 : 127)
        let product = BatchedProduct(
          m: m, n: n, k: k, matrices: matrices, repeatsA: repeatsA, repeatsB: repeatsB, transposesB: transposes)
        let countA = repeatsA ? m * k : m * k * matrices, countB = repeatsB ? k * n : k * n * matrices
        let a = Guarded(numbers.bytes(batch * countA)), b = Guarded(numbers.bytes(batch * countB))
        var expected: [UInt8] = []
        for sample in 0..<batch {
          for matrix in 0..<matrices {
            let firstA = sample * countA + (repeatsA ? 0 : matrix * m * k)
            let firstB = sample * countB + (repeatsB ? 0 : matrix * k * n)
            for row in 0..<m {
              for column in 0..<n {
                let sum = (0..<k).reduce(0) { sum, p in
                  let first = Int(a.base[firstA + row * k + p]) - 121
                  let second = Int(b.base[firstB + (transposes ? column * k + p : p * n + column)]) - 7
                  return sum + first * second
                }
                expected.append(coded(Float(sum) * (from.scale * other.scale / to.scale), to))
              }
            }
          }
        }
        try check(product.step(from, other, to: to), [a, b], expected, batch: batch, "\(m)x\(n)x\(k)")
      }
    }
  }

  /// Sums at the ends of what 32 bits hold.
  @Test func productsOfExtremes() throws {
    let k = IntegerSums.most
    for (zeroA, zeroB) in [(0, 0), (255, 255), (0, 255), (255, 0), (128, 1)] {
      for (codeA, codeB) in [(UInt8(0), UInt8(0)), (255, 255), (0, 255), (255, 0)] {
        let a = Guarded<UInt8>(k, filling: codeA), b = Guarded<UInt8>(k, filling: codeB)
        let sum = k * (Int(codeA) - zeroA) * (Int(codeB) - zeroB)
        let to = AffineQuantization(scale: 1, zeroPoint: 128)
        let step = BatchedProduct(
          m: 1, n: 1, k: k, matrices: 1, repeatsA: false, repeatsB: false, transposesB: false
        ).step(
          AffineQuantization(scale: 0x1p-24, zeroPoint: UInt8(zeroA)),
          AffineQuantization(scale: 1, zeroPoint: UInt8(zeroB)), to: to)
        try check(step, [a, b], [coded(Float(sum) * 0x1p-24, to)], batch: 1, "\(codeA) \(codeB)")
      }
    }
  }

  @Test func attention() throws {
    var numbers = Numbers(2)
    let cases: [(heads: Int, queries: Int, keys: Int, depth: Int, width: Int)] = [
      (1, 1, 1, 1, 1), (2, 5, 7, 3, 5), (3, 17, 17, 16, 16), (1, 30, 65, 33, 40), (2, 3, 197, 8, 66),
    ]
    for (heads, queries, keys, depth, width) in cases {
      for scale: Float in [0, 0.05, 3] {
        let batch = 2, to = AffineQuantization(scale: 0.009, zeroPoint: 130, limit: 250)
        let q = Guarded(numbers.bytes(batch * queries * heads * depth))
        let k = Guarded(numbers.bytes(batch * keys * heads * depth))
        let v = Guarded(numbers.bytes(batch * keys * heads * width))
        let geometry = AttentionGeometry(
          heads: heads, queries: queries, keys: keys, depth: depth, width: width, scale: scale)
        let step = from.scale * other.scale * scale * 256
        var expected: [UInt8] = []
        for sample in 0..<batch {
          for row in 0..<queries {
            for head in 0..<heads {
              func tokens(_ codes: Guarded<UInt8>, _ count: Int, _ size: Int, _ index: Int) -> ArraySlice<UInt8> {
                let start = ((sample * count + index) * heads + head) * size
                return codes.array[start..<start + size]
              }
              let query = centred(tokens(q, queries, depth, row), from)
              let scores = (0..<keys).map { key in
                zip(query, centred(tokens(k, keys, depth, key), other)).reduce(0) { $0 + $1.0 * $1.1 }
              }
              let weights = scores.map { score in
                let power = Int(min(Float(scores.max()! - score) * step, 2047) + 0.5)
                return Int((255 * Self.exponential(-Double(power) / 256)).rounded(.toNearestOrEven))
              }
              let values = (0..<keys).map { centred(tokens(v, keys, width, $0), third) }
              for c in 0..<width {
                let sum = zip(weights, values).reduce(0) { $0 + $1.0 * $1.1[c] }
                expected.append(
                  coded(Float(sum) * (third.scale / to.scale) / Float(weights.reduce(0, +)), to))
              }
            }
          }
        }
        try check(
          geometry.step(queries: from, keys: other, values: third, to: to), [q, k, v], expected, batch: batch,
          "\(heads) heads of \(queries)x\(keys)")
      }
    }
  }

  /// By its series: not the function that the tables are made with.
  private static func exponential(_ x: Double) -> Double {
    var term = 1.0, sum = 1.0
    for i in 1..<20 {
      term *= x / 64 / Double(i)
      sum += term
    }
    for _ in 0..<6 { sum *= sum }
    return sum
  }

  @Test func softmax() throws {
    var numbers = Numbers(3)
    for (columns, scale) in [(1, Float(0.1)), (10, 0.02), (33, 0.5), (1000, 0.07), (7, 1e6)] {
      let rows = 3, batch = 2, own = AffineQuantization(scale: scale, zeroPoint: 9)
      let to = AffineQuantization(scale: 1 / 256, zeroPoint: 3, limit: 240)
      let codes = Guarded(numbers.bytes(batch * rows * columns))
      var expected: [UInt8] = []
      for row in 0..<batch * rows {
        let values = codes.array[row * columns..<(row + 1) * columns]
        let powers = values.map { code in
          let x = -Double(values.max()! - code) * Double(scale)
          return Int((x < -60 ? 0 : Self.exponential(x) * 0x1p22).rounded(.toNearestOrEven))
        }
        let factor = 1 / (Float(powers.reduce(0, +)) * to.scale)
        expected += powers.map { coded(Float($0) * factor, to) }
      }
      try check(
        Elementwise.softmaxStep(rows: rows, columns: columns, from: own, to: to), [codes], expected, batch: batch,
        "\(columns) columns")
    }
  }

  @Test func normalizations() throws {
    var numbers = Numbers(4)
    let cases: [(positions: Int, channels: Int, groups: Int?)] = [
      (3, 1, nil), (5, 33, nil), (7, 192, nil), (6, 12, 3), (35, 5, 5), (9, 40, 1), (2, 40_000, nil),
    ]
    for (positions, channels, groups) in cases {
      for statistic in [StatisticNormalization.Statistic.variance, .meanSquare, .length] {
        let norm = StatisticNormalization(
          statistic, positions: positions, channels: channels, groups: groups, epsilon: 1e-5)
        let to = AffineQuantization(scale: statistic == .length ? 0.004 : 0.03, zeroPoint: 128)
        let gamma = numbers.floats(channels), beta = numbers.floats(channels), batch = 2
        let codes = Guarded(numbers.bytes(batch * positions * channels))
        var expected = [UInt8](repeating: 0, count: codes.count)
        for sample in 0..<batch {
          for index in 0..<norm.sets {
            let set = norm.set(index), start = sample * positions * channels + set.start
            let places = (0..<set.rows).flatMap { row in
              (0..<set.width).map { (start + row * channels + $0, set.channel + $0) }
            }
            let values = places.map { Int(codes.base[$0.0]) - Int(from.zeroPoint) }, n = values.count
            let sum = values.reduce(0, +), squares = values.reduce(0) { $0 + $1 * $1 }
            let area = Double(from.scale) * Double(from.scale)
            let mean = statistic == .variance ? Float(Double(sum) / Double(n)) : 0
            let square: Float =
              switch statistic {
              case .variance: Float(Double(n * squares - sum * sum) / (Double(n) * Double(n)) * area)
              case .meanSquare: Float(Double(squares) / Double(n) * area)
              case .length: Float(Double(squares) * area)
              }
            let divisor = statistic == .length ? max(square.squareRoot(), 1e-5) : (square + 1e-5).squareRoot()
            let inverse = from.scale * (1 / divisor)
            for ((place, c), value) in zip(places, values) {
              let normal = (Float(value) - mean) * inverse
              expected[place] = coded(normal * (gamma[c] / to.scale) + beta[c] / to.scale, to)
            }
          }
        }
        try check(
          norm.step(scale: gamma, shift: beta, from: from, to: to), [codes], expected, batch: batch,
          "\(statistic) of \(positions)x\(channels) in \(groups ?? 0)")
      }
    }
  }

  @Test func affine() throws {
    var numbers = Numbers(5)
    let factor = numbers.floats(21), shift = numbers.floats(21), codes = Guarded(numbers.bytes(2 * 4 * 21))
    let expected = codes.array.enumerated().map { index, code in
      let c = index % 21, own = factor[c] * from.scale / other.scale
      return coded(Float(Int(code) - Int(from.zeroPoint)) * own + shift[c] / other.scale, other)
    }
    try check(
      StatisticNormalization.affineStep(positions: 4, factor: factor, shift: shift, from: from, to: other), [codes],
      expected, batch: 2, "affine")
  }

  @Test func bilinear() throws {
    var numbers = Numbers(6)
    let rows: [Interpolation.Tap] = [(0, 1, 0.3), (1, 2, 0), (2, 2, 0.9), (0, 2, 1)]
    let columns: [Interpolation.Tap] = [(3, 4, 0.123), (0, 1, 0.5)]
    for channels in [1, 3, 19, 64] {
      let resize = Interpolation(height: 3, width: 5, channels: channels, rows: rows, columns: columns)
      let codes = Guarded(numbers.bytes(2 * 15 * channels))
      var expected: [UInt8] = []
      for sample in 0..<2 {
        for row in rows {
          for column in columns {
            for c in 0..<channels {
              func pixel(_ y: Int, _ x: Int) -> Int {
                Int(codes.base[((sample * 3 + y) * 5 + x) * channels + c]) - Int(from.zeroPoint)
              }
              let down = Int((row.share * 2048).rounded(.toNearestOrEven))
              let across = Int((column.share * 2048).rounded(.toNearestOrEven))
              let top = pixel(row.first, column.first) * (2048 - across) + pixel(row.first, column.second) * across
              let bottom = pixel(row.second, column.first) * (2048 - across) + pixel(row.second, column.second) * across
              let sum = top * (2048 - down) + bottom * down
              expected.append(coded(Float(sum) * (from.scale / third.scale / 4_194_304), third))
            }
          }
        }
      }
      try check(resize.step(from: from, to: third), [codes], expected, batch: 2, "\(channels) channels")
    }
  }
}
