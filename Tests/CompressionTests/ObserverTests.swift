import Compression
import Diagnostics
import Kernels
import Network
import Tensors
import Testing

@Suite struct ObserverTests {
  static func quantization(_ format: ActivationFormat, _ batches: [[Float]]) throws -> ActivationQuantization {
    var observer = try Observer(format)
    for batch in batches { try batch.withUnsafeBufferPointer { try observer.observe($0) } }
    guard case .affine(let quantization) = try observer.encoding() else { throw CompressError("levels") }
    return quantization
  }

  /// 10,000 normal numbers and an outlier.
  static let bell: [Float] = {
    var random = SeededRandom(seed: 5)
    return Tensor(normal: [10_000], using: &random).array() + [50]
  }()

  static func error(_ q: ActivationQuantization, _ values: [Float]) -> Double {
    values.reduce(0) { $0 + Double(($1 - q.rounded($1)) * ($1 - q.rounded($1))) }
  }

  /// What readers cannot tell apart takes no codes: a hard_swish's below -3, a hard_sigmoid's where it is 0 or 1, a
  /// sigmoid's where it is within half a code of them; where one of several readers can, it has them.
  @Test func rangesEndWhereReadersAreFlat() throws {
    var net = GraphBuilder(input: [4])
    net.dense(4, name: "swish_in")
    let swish = net.activation(.hardSwish, from: "swish_in")
    let gate = net.dense(4, from: swish, name: "gate_in")
    let gates = [
      net.activation(.hardSigmoid(slope: 0.2, offset: 0.5), from: gate), net.activation(.sigmoid, from: gate),
    ]
    net.dense(4, from: net.add(gates[0], gates[1]), name: "two_readers")
    net.dense(2, from: net.add(net.activation(.tanh, from: "two_readers"), "two_readers"), name: "last")
    let assignment = try QuantizationAssignment(Model(initializing: net.graph(), seed: 1)) { _, _ in
      LayerQuantization(weights: .integer(bits: 8, granularity: .channel), activations: ActivationFormat())
    }
    #expect(assignment.sensitiveRange(of: "swish_in") == -3 ... .infinity)
    let wide = try #require(assignment.sensitiveRange(of: "gate_in"))
    #expect(abs(wide.upperBound - 6.2324) < 1e-3 && wide.lowerBound == -wide.upperBound)
    #expect(assignment.sensitiveRange(of: "two_readers") == nil)

    func observed(_ values: [Float], _ sensitive: ClosedRange<Float>?) throws -> ClosedRange<Float> {
      var observer = try Observer(ActivationFormat(), sensitive: sensitive)
      try values.withUnsafeBufferPointer { try observer.observe($0) }
      guard case .affine(let q) = try observer.encoding() else { throw CompressError("levels") }
      return q.rounded(-1e9)...q.rounded(1e9)
    }
    let cut = try observed([-20, 4], -3 ... .infinity), whole = try observed([-20, 4], nil)
    #expect(abs(cut.lowerBound + 3) < 0.03 && abs(cut.upperBound - 4) < 0.03 && whole.lowerBound < -19)
    // Nothing matters: it is as it was seen.
    #expect(try observed([-20, -5], -3 ... .infinity).lowerBound < -19)
  }

  @Test func rangesAlwaysHoldZero() throws {
    let q = try Self.quantization(ActivationFormat(), [[2, 6]])
    #expect(q.zeroPoint == 0)
    #expect(abs(q.scale - 6.0 / 255) < 1e-7)
    #expect((127...128).contains(try Self.quantization(ActivationFormat(), [[-1], [1]]).zeroPoint))
  }

  @Test(arguments: RangeMethod.named.map(\.method)) func nonsenseIsRefused(_ method: RangeMethod) throws {
    #expect(throws: CompressError.self) { try Observer(ActivationFormat(method)).encoding() }
    for bad in [Float.nan, -.nan, .infinity, -.infinity] {
      #expect(throws: CompressError.self) { try Self.quantization(ActivationFormat(method), [[1, bad, 2]]) }
    }
    for format in [ActivationFormat(method, bits: 1), ActivationFormat(method, bits: 17)] {
      #expect(throws: CompressError.self) { try Observer(format) }
    }
  }

  @Test func numbersOutOfRangeAreRefused() {
    for method: RangeMethod in [.percentile(101), .percentile(.nan), .movingAverage(momentum: 1)] {
      #expect(throws: CompressError.self) { try Observer(ActivationFormat(method)) }
    }
  }

  /// Whatever the order, the batches and the number of threads: the same quantization.
  @Test(arguments: [RangeMethod.minmax, .percentile(99.9), .entropy, .mse])
  func batchesDoNotMatter(_ method: RangeMethod) throws {
    let whole = try Self.quantization(ActivationFormat(method), [Self.bell])
    let parts = try Self.quantization(
      ActivationFormat(method), [Array(Self.bell[5000...]), Array(Self.bell[..<10]), Array(Self.bell[10..<5000])])
    #expect(whole == parts)
    var observer = try Observer(ActivationFormat(method))
    let many = [Float](repeating: 0.5, count: 200_000) + Self.bell
    try many.withUnsafeBufferPointer { try observer.observe($0, pool: ThreadPool(threads: 3, smallestWork: 0)) }
    #expect(try observer.encoding() == .affine(Self.quantization(ActivationFormat(method), [many])))
  }

  @Test func whatIsRareIsClipped() throws {
    let all = try Self.quantization(ActivationFormat(.minmax, bits: 4), [Self.bell])
    for method: RangeMethod in [.percentile(99.9), .entropy, .mse] {
      let q = try Self.quantization(ActivationFormat(method, bits: 4), [Self.bell])
      #expect(q.scale < all.scale * 0.7, "\(method)")
    }
    let least = try Self.quantization(ActivationFormat(.mse, bits: 4), [Self.bell])
    for method: RangeMethod in [.minmax, .percentile(99.9), .percentile(99), .entropy] {
      let q = try Self.quantization(ActivationFormat(method, bits: 4), [Self.bell])
      #expect(Self.error(least, Self.bell) <= Self.error(q, Self.bell) * 1.02, "\(method)")
    }
  }

  @Test func percentilesLeaveHalfOfTheRestOnEachSide() throws {
    let values = (0..<10_000).map { Float($0) / 100 - 50 }
    let q = try Self.quantization(ActivationFormat(.percentile(90)), [values])
    #expect(abs(q.scale * Float(255 - q.zeroPoint) - 45) < 0.3 && abs(-q.scale * Float(q.zeroPoint) + 45) < 0.3)
  }

  @Test func averagesMove() throws {
    let q = try Self.quantization(ActivationFormat(.movingAverage(momentum: 0.5)), [[-1, 1], [-3, 5], [-2, 3]])
    #expect(abs(q.scale * 255 - 5) < 1e-5 && q.zeroPoint == 102)  // -2 to 3
  }

  @Test(arguments: 2...16) func bitsAndSymmetry(_ bits: Int) throws {
    let q = try Self.quantization(ActivationFormat(bits: bits), [[-1, 3]])
    #expect(q.bits == bits && q.limit == 1 << bits - 1)
    #expect(abs(q.scale * Float(q.limit) - 4) < 1e-5)
    let even = try Self.quantization(ActivationFormat(bits: bits, symmetric: true), [[-1, 3]])
    #expect(even.zeroPoint == 1 << (bits - 1))
    #expect(even.rounded(3) == even.scale * Float(even.limit - even.zeroPoint) && abs(even.rounded(3) - 3) < 1e-5)
    let down = try Self.quantization(ActivationFormat(bits: bits, symmetric: true), [[-3, 1]])
    #expect(abs(down.rounded(-3) + 3) <= down.scale / 2)
    let positive = try Self.quantization(ActivationFormat(bits: bits, symmetric: true), [[0, 3]])
    #expect(positive.zeroPoint == 0 && abs(positive.rounded(3) - 3) < 1e-5)
    let power = try Self.quantization(ActivationFormat(bits: bits, powerOfTwo: true), [[-1, 3]])
    #expect(power.scale.significand == 1 && power.scale >= q.scale && power.scale < 2 * q.scale)
  }

  @Test func zerosAloneAreZero() throws {
    for (_, method) in RangeMethod.named {
      let q = try Self.quantization(ActivationFormat(method), [[0, -0.0, 0]])
      #expect(q.rounded(0) == 0)
    }
  }

  /// Values from tiny to huge, one after the other: the bins widen and lose nothing.
  @Test func binsWiden() throws {
    let values = (0..<60).map { Float(sign: $0 % 2 == 0 ? .plus : .minus, exponent: $0 - 30, significand: 1.25) }
    let q = try Self.quantization(ActivationFormat(.percentile(100)), values.map { [$0] })
    #expect(try q == Self.quantization(ActivationFormat(), [values]))
  }

  // MARK: Levels

  static func levels(_ spacing: LevelSpacing, bits: Int, _ values: [Float]) throws -> [Float] {
    var observer = try Observer(ActivationFormat(bits: bits, spacing: spacing))
    try values.withUnsafeBufferPointer { try observer.observe($0) }
    guard case .levels(let levels) = try observer.encoding() else { throw CompressError("no levels") }
    return levels.values
  }

  @Test(arguments: [LevelSpacing.log, .tanh], 2...8) func levelsReachFromEndToEnd(_ spacing: LevelSpacing, _ bits: Int)
    throws
  {
    let signed = try Self.levels(spacing, bits: bits, Self.bell)
    #expect(signed.contains(0) && abs(signed.last! - 50) < 1e-4 && abs(signed[0] + 50) < 1e-4)
    #expect(signed.count == 1 << bits - 1)
    #expect(signed == signed.reversed().map { 0 - $0 })
    let positive = try Self.levels(spacing, bits: bits, Self.bell.map(abs))
    #expect(positive[0] == 0 && positive.count == 1 << bits)
    // Denser around zero.
    #expect(positive[2] - positive[1] <= (positive.last! - positive[positive.count - 2]) * 1.001)
  }

  @Test func logarithmsFallByOneFactor() throws {
    let levels = try Self.levels(.log, bits: 4, [0, 0.01, 0.1, 8])
    let factors = zip(levels.dropFirst(), levels.dropFirst(2)).map { $1 / $0 }
    #expect(factors.allSatisfy { abs($0 - factors[0]) < 1e-5 } && levels.last == 8)
  }

  @Test func theNearestLevelTheLowerOfTwo() throws {
    let levels = try RoundingLevels([-2, 0, 1, 3])
    let found = [-5, -1, -0.9, 0.5, 0.6, 2, 2.1, .infinity, -.infinity, .nan].map {
      levels.values[levels.index(of: $0)]
    }
    #expect(found == [-2, -2, 0, 0, 1, 1, 3, 3, -2, -2])
    for bad: [Float] in [[1, 2], [0], [0, 0], [1, 0], [0, .infinity], (0...256).map { Float($0) }] {
      #expect(throws: CompressError.self) { try RoundingLevels(bad) }
    }
  }

  @Test func clustersAreCentresAndKeepZero() throws {
    let values: [Float] = [0, 0, 0, -1, -1.2, -0.8, 5, 5.5, 20]
    let levels = try RoundingLevels(clustering: Tensor(values), count: 4)
    #expect(levels.values.count == 4 && levels.values[1] == 0)
    #expect(abs(levels.values[0] + 1) < 1e-6 && abs(levels.values[2] - 5.25) < 1e-6 && levels.values[3] == 20)
    #expect(try RoundingLevels(clustering: Tensor([0, 0] as [Float]), count: 16).values.contains(0))
    #expect(try RoundingLevels(clustering: Tensor([3, 3] as [Float]), count: 16).values == [0, 3])
    #expect(throws: CompressError.self) { try RoundingLevels(clustering: Tensor([.nan] as [Float]), count: 4) }
    #expect(throws: CompressError.self) { try RoundingLevels(clustering: Tensor([1] as [Float]), count: 1) }
  }
}
