import CKernels
import Diagnostics
import Testing

@testable import Kernels

private let subnormal = Float.leastNormalMagnitude / 128

/// Instruction sets here that multiply bfloat16 numbers; the scalar reference does it everywhere.
private let fastSets = supportedSets.filter(\.multipliesBFloat16)
private let bfloat16Sets = [.scalar] + fastSets

@Suite struct BFloat16KernelTests {
  static var reference: ck_kernels { InstructionSet.scalar.kernels.pointee }

  /// Pairs of which some hold subnormal numbers, zeros, infinities or NaN.
  static func pairs(_ count: Int, _ numbers: inout Numbers, special: Bool) -> [UInt32] {
    let rare: [UInt16] = [0, 0x8000, 0x0001, 0x807F, 0x0080, 0x8080, 0x7F80, 0xFF80, 0x7FC0, 0x2000, 0x1F80]
    let values = numbers.floats(2 * count)
    func half(_ i: Int) -> UInt32 {
      if special, numbers.random.below(4) == 0 { return UInt32(rare[numbers.random.below(rare.count)]) }
      return values[i].bitPattern >> 16
    }
    return (0..<count).map { half(2 * $0) | half(2 * $0 + 1) << 16 }
  }

  /// Which NaN comes out is nobody's concern.
  static func comparable(_ values: [Float]) -> [UInt32] { values.map { $0.isNaN ? 0x7FC0_0000 : $0.bitPattern } }

  @Test(
    .enabled(if: !fastSets.isEmpty, "NOT TESTED: no AVX512_BF16 here; its kernels are unchecked"),
    arguments: [false, true])
  func tiles(special: Bool) {
    var numbers = Numbers(special ? 1 : 2)
    for isa in fastSets {
      let kernels = isa.kernels.pointee, tile = kernels.bf16_tile
      for m in 1...tile.rows {
        for n in [1, 2, tile.lanes - 1, tile.lanes, tile.lanes + 1, tile.columns - 1, tile.columns] {
          let k = [0, 1, 2, 3, 8, 37][numbers.random.below(6)]
          let width = roundUp(n, to: tile.lanes), ldc = n + numbers.random.below(3)
          let lda = max(k, m) + numbers.random.below(3)
          let a = Guarded(Self.pairs(lda * max(k, m), &numbers, special: special))
          let b = Guarded(Self.pairs(max(k, 1) * width, &numbers, special: special))
          let start = Guarded(numbers.floats(width)), former = numbers.floats(m * ldc)
          if special { start.base[0] = subnormal }
          for begin in [UnsafePointer(start.base), nil] {
            for (row, pair) in [(lda, 1), (1, lda)] {
              let (x, y) = (Guarded(former), Guarded(former))
              kernels.bf16_gemm(m, n, k, a.base, row, pair, b.base, width, begin, x.base, ldc, -30, 40)
              Self.reference.bf16_gemm(m, n, k, a.base, row, pair, b.base, width, begin, y.base, ldc, -30, 40)
              #expect(
                Self.comparable(x.array) == Self.comparable(y.array) && x.isIntact, "\(isa) bf16_gemm \(m)x\(n)x\(k)")
            }
          }
        }
      }
    }
  }

  @Test(.enabled(if: !fastSets.isEmpty, "NOT TESTED: no AVX512_BF16 here; its kernels are unchecked"))
  func packing() {
    var numbers = Numbers(3)
    let rare: [Float] = [
      0, -0.0, subnormal, -subnormal, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNormalMagnitude,
    ]
    for isa in fastSets {
      let kernels = isa.kernels.pointee, lanes = kernels.bf16_tile.lanes
      for n in [1, 2, 3, 15, 16, 17, 31, 32, 33, 70] {
        let rows = 5, lda = n + 3
        let values = numbers.floats(rows * lda)
        let a = Guarded(values.indices.map { $0 % 5 == 0 ? rare[$0 / 5 % rare.count] : values[$0] })
        let count = rows * ((n + 1) / 2)
        let (x, y) = (Guarded<UInt32>(count, filling: 7), Guarded<UInt32>(count, filling: 7))
        kernels.bf16_rows(rows, n, a.base, lda, x.base)
        Self.reference.bf16_rows(rows, n, a.base, lda, y.base)
        #expect(x.array == y.array && x.isIntact && a.isIntact, "\(isa) bf16_rows \(n)")
        for k in 1...rows {
          for width in [n, roundUp(n, to: lanes)] {
            let places = (0..<k).map { UnsafePointer(a.base + $0 * lda) as UnsafePointer<Float>? }
            let (x, y, z) = (
              Guarded<UInt32>((k + 1) / 2 * width, filling: 7), Guarded<UInt32>((k + 1) / 2 * width, filling: 7),
              Guarded<UInt32>((k + 1) / 2 * width, filling: 7)
            )
            kernels.bf16_columns(n, width, k, places, x.base)
            Self.reference.bf16_columns(n, width, k, places, y.base)
            ck_bf16_pack(n, width, 0, k / 2, a.base, 1, lda, z.base)
            ck_bf16_pack(n, width, k / 2, k - k / 2, a.base + k / 2 * lda, 1, lda, z.base)
            #expect(x.array == y.array && x.isIntact, "\(isa) bf16_columns \(n), \(k)")
            #expect(z.array == y.array && z.isIntact, "ck_bf16_pack \(n), \(k)")
          }
        }
      }
    }
  }

  @Test func theReferenceRoundsToNearestEven() {
    let values: [Float] = [
      1, 1 + 1 / 256, 1 + 3 / 256, 1 + 1 / 256 + 1e-6, -1 - 1 / 256, subnormal, .infinity, .greatestFiniteMagnitude,
      .nan,
    ]
    var out = [UInt32](repeating: 0, count: 5)
    Self.reference.bf16_rows(1, values.count, values, values.count, &out)
    let halves = out.flatMap { [$0 & 0xFFFF, $0 >> 16] }
    #expect(halves == [0x3F80, 0x3F80, 0x3F82, 0x3F81, 0xBF80, 0, 0x7F80, 0x7F80, 0x7FC0, 0])
  }

  @Test func theOddOfAPairIsAddedFirst() {
    // (2^24 + 1 * 1) - 2^24 loses the one, (2^24 - 2^24) + 1 does not.
    let one: UInt32 = 0x3F80, large: UInt32 = 0x4B80
    let a = one | one << 16, b = one | (large | 0x8000) << 16
    for isa in bfloat16Sets {
      var c: Float = 0
      var start = [Float](repeating: 0, count: 16)
      start[0] = 0x1p24
      let wide = [b] + [UInt32](repeating: 0, count: 15)
      isa.kernels.pointee.bf16_gemm(
        1, 1, 1, [a], 1, 1, wide, isa.kernels.pointee.bf16_tile.lanes, start, &c, 1, -.infinity, .infinity)
      #expect(c == 1, "\(isa)")
    }
  }
}

/// Whole products in bfloat16 against the definition.
@Suite struct BFloat16ProductTests {
  static func cases() throws -> [ConvolutionCase] {
    try [
      .init(9, 7, 16, 12, (3, 3), pad: (1, 1, 1, 1)),
      .init(11, 9, 17, 33, (3, 2), stride: (2, 1), pad: (1, 0, 1, 1)),
      .init(8, 8, 35, 5, (1, 1)),
      .init(7, 5, 20, 17, (1, 1), stride: (2, 2)),
      .init(6, 7, 34, 38, (3, 3), pad: (1, 1, 1, 1), dilation: (2, 1), groups: 2),
      .init(7, 6, 38, 34, (3, 3), stride: (2, 3), groups: 2),
      .init(26, 24, 16, 16, (3, 3), pad: (2, 0, 1, 1), batch: 2),
      .init(1, 1, 37, 10, (1, 1), batch: 19),
      .init(1, 1, 1700, 70, (1, 1), batch: 1),
      .init(9, 9, 3, 16, (3, 3)),
      .init(8, 8, 17, 17, (3, 3), pad: (1, 1, 1, 1), groups: 17),
    ]
  }

  static func rounded(_ values: [Float]) -> [Float] {
    var out = [UInt32](repeating: 0, count: values.count)
    for (i, value) in values.enumerated() { BFloat16KernelTests.reference.bf16_rows(1, 1, [value], 1, &out[i]) }
    return out.map { Float(bitPattern: $0 << 16) }
  }

  /// Forward, input gradient, weight gradient and bias gradient.
  static func products(
    _ test: ConvolutionCase, _ input: Guarded<Float>, _ weights: Guarded<Float>, _ d: Guarded<Float>,
    _ isa: InstructionSet, threads: Int
  ) throws -> [[Float]] {
    let g = test.geometry, batch = test.batch
    let pool = try ThreadPool(threads: threads, smallestWork: 0)
    let out = Guarded<Float>(d.count, filling: .nan), di = Guarded<Float>(input.count, filling: .nan)
    let dw = Guarded<Float>(weights.count, filling: .nan), db = Guarded<Float>(g.outputChannels, filling: .nan)
    let convolution = FloatConvolution(
      g, weights: UnsafeBufferPointer(start: weights.base, count: weights.count), bias: nil, precision: .bfloat16,
      isa: isa)
    let gradient = ConvolutionGradient(g, precision: .bfloat16, isa: isa)
    let intact = [
      withScratch(convolution.scratchBytes(batch: batch, threads: threads)) {
        convolution.run(input: input.base, output: out.base, batch: batch, scratch: $0, pool: pool)
      },
      withScratch(gradient.inputGradientScratchBytes(batch: batch, threads: threads)) {
        gradient.inputGradient(
          outputGradient: d.base, weights: weights.base, inputGradient: di.base, batch: batch, scratch: $0, pool: pool)
      },
      withScratch(gradient.weightGradientScratchBytes(batch: batch, threads: threads)) {
        gradient.weightGradient(
          input: input.base, outputGradient: d.base, weightGradient: dw.base, biasGradient: db.base, batch: batch,
          scratch: $0, pool: pool)
      },
    ]
    #expect(intact == [true, true, true] && out.isIntact && di.isIntact && dw.isIntact && db.isIntact)
    return [out.array, di.array, dw.array, db.array]
  }

  @Test(arguments: try cases())
  func agreeWithTheDefinition(_ test: ConvolutionCase) throws {
    let g = test.geometry
    var numbers = Numbers(UInt64(g.weightCount))
    let input = Guarded(numbers.floats(g.inputCount * test.batch)), weights = Guarded(numbers.floats(g.weightCount))
    let d = Guarded(numbers.floats(g.outputCount * test.batch))
    // With the factors rounded, only the sums' rounding is left.
    let isRounded = g.precision(.bfloat16) == .bfloat16
    func factor(_ values: [Float]) -> [Float] { isRounded ? Self.rounded(values) : values }
    let out = naiveConvolution(
      g, factor(input.array), factor(weights.array), nil, batch: test.batch, -.infinity ... .infinity)
    let expected = ConvolutionGradientTests.naive(
      g, factor(input.array), factor(weights.array), factor(d.array), batch: test.batch)
    let exact = ConvolutionGradientTests.naive(g, input.array, weights.array, d.array, batch: test.batch)
    var first: [[UInt32]]?
    for isa in bfloat16Sets {
      for threads in 1...3 {
        let results = try Self.products(test, input, weights, d, isa, threads: threads)
        if let first {
          #expect(results.map(bits) == first, "\(isa) with \(threads) threads differs")
          continue
        }
        first = results.map(bits)
        ConvolutionGradientTests.expectClose(results[0], out.map(Double.init), "output")
        ConvolutionGradientTests.expectClose(results[1], expected.input, "input")
        ConvolutionGradientTests.expectClose(results[2], expected.weights, "weights")
        ConvolutionGradientTests.expectClose(results[3], exact.bias, "bias")
        // Beside unrounded factors: each is off by 2^-9 of itself at most.
        #expect(Self.distance(results[1], exact.input) < 0x1p-8)
        #expect(Self.distance(results[2], exact.weights) < 0x1p-8)
      }
    }
  }

  /// In the Euclidean norm, as a share of the expected.
  static func distance(_ values: [Float], _ expected: [Double]) -> Double {
    let off = zip(values, expected).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
    return (off / expected.reduce(0) { $0 + $1 * $1 }).squareRoot()
  }

  @Test func whereItIsMissingItIsRefused() throws {
    for isa in supportedSets {
      try ProductPrecision.float32.validate(isa: isa)
      guard !isa.multipliesBFloat16 else {
        try ProductPrecision.bfloat16.validate(isa: isa)
        continue
      }
      let error = #expect(throws: CompressError.self) { try ProductPrecision.bfloat16.validate(isa: isa) }
      #expect(error?.message.hasPrefix("precision \"bf16\" needs a CPU with AVX512_BF16; this one") == true)
    }
    #expect(!InstructionSet.scalar.multipliesBFloat16)
    let error = #expect(throws: CompressError.self) { try ProductPrecision.bfloat16.validate(isa: .scalar) }
    let best = InstructionSet.best(under: nil)
    #expect(
      error?.message.hasSuffix(
        best.multipliesBFloat16
          ? "this one has it, but COMPRESS_ISA limits it to scalar"
          : "this one's best instruction set is \(best.reportName)") == true)
  }
}
