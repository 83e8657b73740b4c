import Testing

@testable import Kernels

@Suite struct ElementwiseTests {
  /// Longer than one piece, so that threads share it.
  static let count = Elementwise.piece * 2 + 5

  @Test func piecesCoverTheBuffer() throws {
    let pool = try ThreadPool(threads: 3, smallestWork: 0)
    var numbers = Numbers(4)
    let a = numbers.floats(Self.count), b = numbers.floats(Self.count)
    let out = Guarded<Float>(Self.count, filling: .nan)
    Elementwise.add(a, b, output: out.base, count: Self.count, clamp: -0.5...1, pool: pool)
    #expect(out.array == zip(a, b).map { min(max($0 + $1, -0.5), 1) })
    Elementwise.clamp(a, output: out.base, count: Self.count, to: 0...0.5, pool: pool)
    #expect(out.array == a.map { min(max($0, 0), 0.5) })
    let clamped = out.array
    Elementwise.clampGradient(
      outputGradient: b, clamped: clamped, inputGradient: out.base, count: Self.count, range: 0...0.5, pool: pool)
    #expect(out.array == zip(a, b).map { $0 > 0 && $0 < 0.5 ? $1 : 0 })
    #expect(out.isIntact)
  }

  @Test func addsCodes() {
    let a = AffineQuantization(scale: 0.5, zeroPoint: 10), b = AffineQuantization(scale: 0.25, zeroPoint: 0)
    let sum = AffineQuantization(scale: 1, zeroPoint: 100)
    let out = Guarded<UInt8>(4, filling: 0)
    // (20-10)/2 + 2/4 = 5.5, a tie; 7.5, a tie; 122.5 + 63.75; (0-10)/2 = -5
    Elementwise.add(
      [20, 24, 255, 0], a, [2, 2, 255, 0], b, output: out.base, sum, clamp: 96...200, count: 4, pool: .serial)
    #expect(out.array == [106, 108, 200, 96])
  }

  @Test func sigmoidAndSoftmax() throws {
    let pool = try ThreadPool(threads: 2, smallestWork: 0)
    let out = Guarded<Float>(6, filling: .nan)
    Elementwise.sigmoid([0, 100, -100, 1], output: out.base, count: 4, pool: pool)
    #expect(out.base[0] == 0.5 && out.base[1] == 1 && out.base[2] < 1e-30 && abs(out.base[3] - 0.7310586) < 1e-6)
    Elementwise.softmax([1000, 1000, -1000, 0, 0, 0], output: out.base, rows: 2, columns: 3, pool: pool)
    #expect(Array(out.array[..<3]) == [0.5, 0.5, 0])
    #expect(out.array[3...].allSatisfy { abs($0 - 1 / 3) < 1e-7 })
  }
}

@Suite struct ConversionTests {
  @Test func affineCoverage() {
    #expect(AffineQuantization(covering: -1...1.55) == AffineQuantization(scale: 0.01, zeroPoint: 100))
    #expect(AffineQuantization(covering: 2...5.1) == AffineQuantization(scale: 0.02, zeroPoint: 0))
    #expect(AffineQuantization(covering: -5.1 ... -2) == AffineQuantization(scale: 0.02, zeroPoint: 255))
    for odd in [0...0, -0x1p-149...0x1p-149, -Float.infinity...0] as [ClosedRange<Float>] {
      #expect(AffineQuantization(covering: odd) == AffineQuantization(scale: 1, zeroPoint: 0))
    }
    let widest = AffineQuantization(covering: -Float.greatestFiniteMagnitude ... .greatestFiniteMagnitude)
    #expect(widest.scale.isFinite && (127...128).contains(widest.zeroPoint))
  }

  @Test func thereAndBack() throws {
    let pool = try ThreadPool(threads: 3, smallestWork: 0)
    let count = ElementwiseTests.count
    var numbers = Numbers(5)
    let values = numbers.floats(count)
    let range = try #require(Conversion.range(of: values, count: count))
    #expect(range == values.min()!...values.max()!)
    #expect(Conversion.range(of: values, count: 0) == nil)
    let quantization = AffineQuantization(covering: range)
    let codes = Guarded<UInt8>(count, filling: 0), back = Guarded<Float>(count, filling: .nan)
    Conversion.quantize(values, output: codes.base, count: count, quantization, pool: pool)
    Conversion.dequantize(codes.base, output: back.base, count: count, quantization, pool: pool)
    #expect(zip(values, back.array).allSatisfy { abs($0 - $1) <= quantization.scale * 0.5001 })
    #expect(codes.isIntact && back.isIntact)
  }

  @Test func tables() throws {
    let from = AffineQuantization(scale: 0.5, zeroPoint: 128), to = AffineQuantization(scale: 1, zeroPoint: 10)
    let table = Conversion.table(from: from, to: to)
    #expect(table[128] == 10 && table[129] == 10 && table[131] == 12 && table[0] == 0 && table[255] == 74)
    let out = Guarded<UInt8>(3, filling: 0)
    Elementwise.lookup([129, 131, 0], output: out.base, count: 3, table: table, pool: .serial)
    #expect(out.array == [10, 12, 0])
  }
}
