import CKernels
import Testing

@testable import Kernels

/// Every kernel of every instruction set here against the scalar reference: equal bits, guards intact.
@Suite struct KernelTableTests {
  static let sets = supportedSets.filter { $0 != .scalar }
  static var reference: ck_kernels { InstructionSet.scalar.kernels.pointee }

  /// What the tests below call; a new family must join one of them.
  static let families = [
    "f32_gemm", "f32_gemm_half", "f32_gemm_columns",  // floatTiles
    "f32_gemm_pixels",  // sumsOverPixels
    "f32_winograd_tile", "f32_winograd_weights", "f32_winograd_outputs", "f32_winograd_spread",
    "f32_winograd_collect", "f32_winograd4_tile", "f32_winograd4_outputs",  // winograd
    "f32_sparse", "u8s8_sparse", "transpose", "f32_transpose_clamp", "i32_transpose_codes",  // the checks of KernelChecks
    "u8s8_gemm", "u8s8_gemm_codes",  // integerTiles
    "u8s8_quads", "u8s8_quads_codes",  // the checks of KernelChecks
    "bf16_gemm", "bf16_rows", "bf16_columns",  // BFloat16KernelTests
    "f32_depthwise", "f32_depthwise_spread", "f32_depthwise_gather",  // depthwise
    "u8s8_depthwise", "u8s8_depthwise_codes",  // depthwise
    "f32_max_pool", "f32_average_pool", "u8_max_pool", "u8_average_pool",  // pooling
    "i32_dequantize",  // fromSums
    "f32_normalize", "f32_normalize_sums", "f32_normalize_gradient", "f32_add_squares",  // normalization
    "f32_add", "f32_add_rows", "f32_clamp", "f32_hard_swish", "f32_range", "f32_quantize", "u8_dequantize",
    "f32_to_half", "half_to_f32",  // elementwise
    "f32_pairs", "u8_pairs",  // elementwise, and the checks of KernelChecks
    "f32_smooth",  // SmoothTests, and the checks of KernelChecks
  ]

  @Test func noFamilyEscapes() {
    var count = 0
    let names = ck_function_names(&count)!
    #expect(Set((0..<count).map { String(cString: names[$0]!) }) == Set(Self.families))
    #expect(supportedSets.contains(.scalar))
    for isa in InstructionSet.allCases where !isa.isSupported { #expect(ck_kernels_for(isa.native) == nil) }
  }

  /// Around the ends of vectors and of the tile.
  static func widths(of tile: ck_tile) -> [Int] {
    [1, 2, tile.lanes - 1, tile.lanes, tile.lanes + 1, tile.columns - 1, tile.columns]
  }

  @Test func floatTiles() {
    var numbers = Numbers(1)
    for isa in Self.sets {
      let set = isa.kernels.pointee
      for m in 1...set.f32_tile.rows {
        for n in Self.widths(of: set.f32_tile) {
          let k = [0, 1, 2, 3, 8, 37][numbers.random.below(6)]
          let width = roundUp(n, to: set.f32_tile.lanes)
          let lda = max(k, m) + numbers.random.below(3), ldc = n + numbers.random.below(3)
          let a = Guarded(numbers.floats(max(k, m) * lda)), b = Guarded(numbers.floats(max(k, 1) * width))
          let start = Guarded(numbers.floats(width)), former = numbers.floats(m * ldc)
          let halves = Guarded<UInt16>(b.count, filling: 0)
          Self.reference.f32_to_half(b.count, b.base, halves.base)
          for begin in [UnsafePointer(start.base), nil] {
            let (x, y) = (Guarded(former), Guarded(former))
            set.f32_gemm(m, n, k, a.base, lda, b.base, width, begin, x.base, ldc, -0.9, 1.1)
            Self.reference.f32_gemm(m, n, k, a.base, lda, b.base, width, begin, y.base, ldc, -0.9, 1.1)
            #expect(bits(x.array) == bits(y.array) && x.isIntact, "\(isa) f32_gemm \(m)x\(n)x\(k)")
            set.f32_gemm_half(m, n, k, a.base, lda, halves.base, width, begin, x.base, ldc, -9, 9)
            Self.reference.f32_gemm_half(m, n, k, a.base, lda, halves.base, width, begin, y.base, ldc, -9, 9)
            #expect(bits(x.array) == bits(y.array) && x.isIntact, "\(isa) f32_gemm_half \(m)x\(n)x\(k)")
            set.f32_gemm_columns(m, n, k, a.base, lda, b.base, width, begin, x.base, ldc, -9, 9)
            Self.reference.f32_gemm_columns(m, n, k, a.base, lda, b.base, width, begin, y.base, ldc, -9, 9)
            #expect(bits(x.array) == bits(y.array) && x.isIntact, "\(isa) f32_gemm_columns \(m)x\(n)x\(k)")
          }
        }
      }
    }
  }

  @Test func winograd() {
    var numbers = Numbers(7)
    for isa in Self.sets {
      let set = isa.kernels.pointee, reference = Self.reference
      for channels in [
        1, 3, set.f32_tile.lanes - 1, set.f32_tile.lanes, set.f32_tile.lanes + 1, 3 * set.f32_tile.lanes + 2,
      ] {
        let input = (0..<36).map { _ in Guarded(numbers.floats(channels)) }, bias = Guarded(numbers.floats(channels))
        let from = input.map { Optional(UnsafePointer($0.base)) }
        func expectEqual(
          _ what: String, _ count: Int,
          _ body: (ck_kernels, UnsafePointer<UnsafeMutablePointer<Float>?>) -> Void
        ) {
          let results = [set, reference].map { set in
            let out = (0..<count).map { _ in Guarded<Float>(channels, filling: .nan) }
            body(set, out.map { Optional($0.base) })
            #expect(out.allSatisfy { $0.isIntact })
            return bits(out.flatMap(\.array))
          }
          let isEqual = results[0] == results[1]
          #expect(isEqual, "\(isa) \(what) of \(channels)")
        }
        withExtendedLifetime(input) {
          expectEqual("tile", 16) { $0.f32_winograd_tile(channels, from, $1) }
          expectEqual("weights", 16) { $0.f32_winograd_weights(channels, from, $1) }
          expectEqual("outputs", 4) { $0.f32_winograd_outputs(channels, from, bias.base, -0.5, 1.5, $1) }
          expectEqual("spread", 16) { $0.f32_winograd_spread(channels, from, $1) }
          expectEqual("collect", 9) { $0.f32_winograd_collect(channels, from, $1) }
          expectEqual("tile of 6x6", 36) { $0.f32_winograd4_tile(channels, from, $1) }
          expectEqual("outputs of 4x4", 16) { $0.f32_winograd4_outputs(channels, from, bias.base, -0.5, 1.5, $1) }
        }
      }
    }
  }

  @Test(arguments: [-Float.infinity ... .infinity, 0 ... .infinity, -0.3...0.4])
  func normalization(_ clamp: ClosedRange<Float>) {
    var numbers = Numbers(8)
    for isa in Self.sets {
      let set = isa.kernels.pointee, reference = Self.reference
      for width in [1, set.f32_tile.lanes - 1, set.f32_tile.lanes, 2 * set.f32_tile.lanes + 3] {
        let rows = 5, count = rows * width
        let x = Guarded(numbers.floats(count)), dy = Guarded(numbers.floats(count))
        let parameters = (0..<5).map { _ in Guarded(numbers.floats(width)) }
        var norm = ck_normalization(
          center: parameters[0].base, scale: parameters[1].base, shift: parameters[2].base, lo: clamp.lowerBound,
          hi: clamp.upperBound)
        let results = [set, reference].map { set in
          let y = Guarded<Float>(count, filling: .nan), dx = Guarded(dy.array)
          let sums = (0..<3).map { _ in Guarded<Float>(width, filling: 1) }
          set.f32_normalize(rows, width, &norm, x.base, y.base)
          set.f32_normalize_sums(rows, width, &norm, x.base, dy.base, sums[0].base, sums[1].base)
          set.f32_add_squares(rows, width, x.base, norm.center, sums[2].base)
          set.f32_normalize_gradient(
            rows, width, &norm, x.base, dx.base, parameters[3].base, parameters[4].base, dx.base)
          #expect(([y, dx] + sums).allSatisfy { $0.isIntact })
          return bits(y.array + dx.array + sums.flatMap(\.array))
        }
        let isEqual = withExtendedLifetime(parameters) { results[0] == results[1] }
        #expect(isEqual, "\(isa), \(width) columns")
      }
    }
  }

  @Test func sumsOverPixels() {
    var numbers = Numbers(3)
    for isa in Self.sets {
      let set = isa.kernels.pointee
      for m in 1...set.f32_tile.rows {
        for n in Self.widths(of: set.f32_tile) {
          let columns = numbers.random.below(5), rows = 3, images = 2, ldc = n + 2
          let ma = m + 1, nb = n + numbers.random.below(2)
          let a = Guarded(numbers.floats(images * rows * 5 * ma - 1))
          let b = Guarded(numbers.floats(images * rows * 10 * nb + n - nb))
          // B takes every second pixel.
          var pixels = ck_pixels(
            images: images, rows: rows, columns: columns, a_image: rows * 5 * ma, a_row: 5 * ma, a_column: ma,
            b_image: rows * 10 * nb, b_row: 10 * nb, b_column: 2 * nb)
          let former = numbers.floats(m * ldc)
          let (x, y) = (Guarded(former), Guarded(former))
          set.f32_gemm_pixels(m, n, &pixels, a.base, b.base, x.base, ldc)
          Self.reference.f32_gemm_pixels(m, n, &pixels, a.base, b.base, y.base, ldc)
          #expect(bits(x.array) == bits(y.array) && x.isIntact, "\(isa) f32_gemm_pixels \(m)x\(n)")
        }
      }
    }
  }

  @Test(arguments: ["random", "extreme"])
  func integerTiles(_ kind: String) {
    var numbers = Numbers(2)
    for isa in Self.sets {
      let set = isa.kernels.pointee
      for m in 1...set.u8_tile.rows {
        for n in [1, 2, set.u8_tile.lanes, set.u8_tile.lanes + 1, set.u8_tile.columns - 1, set.u8_tile.columns] {
          let k = [1, 2, 3, 4, 5, 8, 37, 150][numbers.random.below(8)]
          let width = roundUp(n, to: set.u8_tile.lanes), lda = k + numbers.random.below(3), ldc = n + 1
          // Sums of neighbouring products beyond 16 bits would show any saturation.
          var bytes = numbers.bytes(m * lda), signs = numbers.weights(n * k)
          if kind == "extreme" {
            bytes = bytes.map { $0 < 64 ? 0 : 255 }
            signs = (0..<n * k).map { $0 / k % 2 == 0 ? 127 : -128 }
          }
          let a = Guarded(bytes), packed = Guarded<Int8>(roundUp(k, to: 4) * width, filling: 99)
          ck_s8_pack(n, width, k, signs, packed.base)
          let x = Guarded<Int32>(m * ldc, filling: 7)
          set.u8s8_gemm(m, n, k, a.base, lda, packed.base, width, x.base, ldc)
          var expected = [Int32](repeating: 7, count: m * ldc)
          for i in 0..<m {
            for j in 0..<n {
              var sum: Int32 = 0
              for p in 0..<k { sum += Int32(bytes[i * lda + p]) * Int32(signs[j * k + p]) }
              expected[i * ldc + j] = sum
            }
          }
          #expect(x.array == expected && x.isIntact && packed.isIntact, "\(isa) u8s8_gemm \(m)x\(n)x\(k)")
          let y = Guarded<Int32>(m * ldc, filling: 7)
          Self.reference.u8s8_gemm(m, n, k, a.base, lda, packed.base, width, y.base, ldc)
          #expect(y.array == expected)
          // Halves among the scales make ties; the last takes codes far beyond any range.
          let bias = Guarded(numbers.sums(n, 9000))
          let scale = Guarded((0..<n).map { [0.5, 0.25, 0.001, 1.5, -3e-7, 1e30, -1e38][$0 % 7] as Float })
          var to = ck_requantization(bias: bias.base, scale: scale.base, zero_point: 7, lo: 3, hi: 250)
          let (u, v) = (Guarded<UInt8>(m * ldc, filling: 7), Guarded<UInt8>(m * ldc, filling: 7))
          set.u8s8_gemm_codes(m, n, k, a.base, lda, packed.base, width, &to, u.base, ldc)
          Self.reference.u8s8_gemm_codes(m, n, k, a.base, lda, packed.base, width, &to, v.base, ldc)
          #expect(u.array == v.array && u.isIntact, "\(isa) u8s8_gemm_codes \(m)x\(n)x\(k)")
        }
      }
    }
  }

  /// Pointers to random pixels, several per output.
  static func taps<T>(
    _ pixels: Guarded<T>, channels: Int, count: Int, _ numbers: inout Numbers
  ) -> [UnsafeRawPointer?] {
    (0..<count).map { _ in UnsafeRawPointer(pixels.base + numbers.random.below(pixels.count / channels) * channels) }
  }

  @Test(arguments: [1, 3, 7, 8, 9, 16, 17, 31, 33, 64, 65, 130], [1, 2, 5, 8, 9, 12, 25])
  func depthwise(_ channels: Int, _ taps: Int) {
    var numbers = Numbers(UInt64(channels * taps))
    let pixels = 3, ld = channels + 1, step = 2 * channels
    let image = Guarded(numbers.floats(14 * channels)), codes = Guarded(numbers.bytes(14 * channels))
    let weights = Guarded(numbers.floats(taps * channels)), bias = Guarded(numbers.floats(channels))
    let bytes = Guarded<Int8>(roundUp(taps, to: 4) * channels, filling: 99)
    ck_s8_pack(channels, channels, taps, numbers.weights(taps * channels), bytes.base)
    let g = Guarded(numbers.floats(pixels * ld)), shift = Guarded(numbers.sums(channels, 3000))
    let scale = Guarded((0..<channels).map { [0.5, 0.003, 0.01, 1.5, 1e30][$0 % 5] as Float })
    // The last pixel's taps are two steps further.
    let places = (0..<taps).map { _ in numbers.random.below(10) * channels }
    let tap = places.map { UnsafeRawPointer(image.base + $0) as UnsafeRawPointer? }
    let codeTap = places.map { UnsafeRawPointer(codes.base + $0) as UnsafeRawPointer? }
    func all(_ isa: InstructionSet) -> [UInt32] {
      let set = isa.kernels.pointee
      let out = Guarded<Float>(pixels * ld, filling: 5), sums = Guarded<Int32>(pixels * ld, filling: 5)
      let requantized = Guarded<UInt8>(pixels * ld, filling: 5)
      let gathered = Guarded(weights.array), spread = Guarded(image.array)
      set.f32_depthwise(pixels, channels, taps, tap, step, weights.base, bias.base, out.base, ld, -1, 1)
      set.u8s8_depthwise(pixels, channels, taps, codeTap, step, bytes.base, sums.base, ld)
      var to = ck_requantization(bias: shift.base, scale: scale.base, zero_point: 100, lo: 3, hi: 250)
      set.u8s8_depthwise_codes(pixels, channels, taps, codeTap, step, bytes.base, &to, requantized.base, ld)
      set.f32_depthwise_gather(pixels, channels, taps, tap, step, g.base, ld, gathered.base)
      let moved = places.map { UnsafeMutableRawPointer(spread.base + $0) as UnsafeMutableRawPointer? }
      set.f32_depthwise_spread(pixels, channels, taps, moved, step, weights.base, g.base, ld)
      #expect(out.isIntact && sums.isIntact && requantized.isIntact && gathered.isIntact && spread.isIntact)
      return bits(out.array + gathered.array + spread.array) + sums.array.map { UInt32(bitPattern: $0) }
        + requantized.array.map { UInt32($0) }
    }
    for isa in Self.sets { #expect(all(isa) == all(.scalar), "\(isa)") }
  }

  @Test(arguments: [1, 3, 7, 8, 9, 16, 17, 31, 33, 64])
  func pooling(_ channels: Int) {
    var numbers = Numbers(UInt64(channels))
    let pixels = 4, stride = 6, counts: [UInt32] = [1, 6, 4, 3]
    // Few values, so that equals meet.
    let image = Guarded((0..<9 * channels).map { _ in Float(numbers.random.below(4)) })
    let codes = Guarded(numbers.bytes(9 * channels))
    let tap = Self.taps(image, channels: channels, count: pixels * stride, &numbers)
    let codeTap = Self.taps(codes, channels: channels, count: pixels * stride, &numbers)
    func all(_ isa: InstructionSet) -> [UInt32] {
      let set = isa.kernels.pointee
      let n = pixels * channels
      let (a, b, c) = (Guarded<Float>(n, filling: 5), Guarded<Float>(n, filling: 5), Guarded<Float>(n, filling: 5))
      let index = Guarded<Int32>(n, filling: -1)
      let (d, e) = (Guarded<UInt8>(n, filling: 5), Guarded<UInt8>(n, filling: 5))
      set.f32_max_pool(pixels, channels, stride, tap, counts, image.base, a.base, nil)
      set.f32_max_pool(pixels, channels, stride, tap, counts, image.base, b.base, index.base)
      set.f32_average_pool(pixels, channels, stride, tap, counts, c.base)
      set.u8_max_pool(pixels, channels, stride, codeTap, counts, d.base)
      set.u8_average_pool(pixels, channels, stride, codeTap, counts, 90, 1.7, 100, e.base)
      #expect(a.isIntact && b.isIntact && c.isIntact && d.isIntact && e.isIntact && index.isIntact)
      return bits(a.array + b.array + c.array) + index.array.map { UInt32(bitPattern: $0) }
        + (d.array + e.array).map { UInt32($0) }
    }
    for isa in Self.sets { #expect(all(isa) == all(.scalar), "\(isa)") }
  }

  @Test(arguments: [1, 5, 8, 15, 16, 17, 37, 70])
  func fromSums(_ n: Int) {
    var numbers = Numbers(UInt64(n))
    let rows = 3
    let large = numbers.sums(rows * (n + 2), 1 << 30)
    let edges: [Int32] = [.min / 2, .max / 2, 0, 1, -1, 3, -3, 16_777_217]
    let acc = Guarded(large.indices.map { $0 % 3 == 0 ? edges[$0 % edges.count] : large[$0] % (1 << (1 + $0 % 29)) })
    let sums = Guarded(numbers.sums(n, 100_000))
    let scales: [Float] = [0.5, 0.25, 0.001, 1.5, 3e-7, 1e30]
    let scale = Guarded((0..<n).map { scales[$0 % scales.count] }), shift = Guarded(numbers.floats(n))
    func all(_ isa: InstructionSet) -> [UInt32] {
      let set = isa.kernels.pointee
      let floats = Guarded<Float>(rows * (n + 1), filling: 5)
      set.i32_dequantize(
        rows, n, acc.base, n + 2, 128, sums.base, 0.37, scale.base, shift.base, -1e6, 1e6, floats.base, n + 1)
      #expect(floats.isIntact)
      return bits(floats.array)
    }
    for isa in Self.sets { #expect(all(isa) == all(.scalar), "\(isa)") }
  }

  @Test(arguments: [1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100])
  func elementwise(_ n: Int) {
    var numbers = Numbers(UInt64(n))
    var values = numbers.floats(n).map { $0 * 300 }
    for (i, odd) in [Float.infinity, -.infinity, .nan, -0.0, 0.5, 1.5, 2.5, 0x1p-140].enumerated() where i < n {
      values[(i * 5) % n] = odd
    }
    let long = Guarded(numbers.floats(4 * (n + 1)))
    let a = Guarded(values), b = Guarded(numbers.floats(n))
    let x = Guarded(numbers.bytes(n)), y = Guarded(numbers.bytes(n))
    func all(_ isa: InstructionSet) -> [UInt32] {
      let set = isa.kernels.pointee
      let (p, q, r, s) = (
        Guarded<Float>(n, filling: 5), Guarded<Float>(n, filling: 5), Guarded<Float>(n, filling: 5),
        Guarded<Float>(n, filling: 5)
      )
      let (u, v, half) = (Guarded<UInt8>(n, filling: 5), Guarded<UInt8>(n, filling: 5), Guarded<UInt16>(n, filling: 5))
      var low: Float = 0, high: Float = 0
      set.f32_add(n, a.base, b.base, -200, 200, p.base)
      set.f32_clamp(n, a.base, 0, 6, q.base)
      let rowSums = Guarded(b.array)
      set.f32_add_rows(4, n, long.base, n + 1, rowSums.base)
      var parameters = ck_u8_pair_parameters(
        zero_a: 12, zero_b: 200, zero_point: 100, lo: 5, hi: 240, scale_a: 0.5, scale_b: 0.25)
      var row = ck_pair_rows(rows: 1, n: n, a_row: 0, a_step: 1, b_row: 0, b_step: 1)
      set.u8_pairs(ck_pair_add, &row, x.base, y.base, &parameters, u.base)
      let product = Guarded<Float>(n, filling: 5), gated = Guarded<Float>(n, filling: 5)
      set.f32_pairs(ck_pair_mul, &row, b.base, b.base, 0, 0.5, product.base)
      set.f32_hard_swish(n, b.base, gated.base)
      #expect(product.isIntact && gated.isIntact)
      set.f32_range(n, b.base, &low, &high)
      set.f32_quantize(n, a.base, 0.5, 128, v.base)
      set.u8_dequantize(n, x.base, 0.013, 77, r.base)
      set.f32_to_half(n, a.base, half.base)
      set.half_to_f32(n, half.base, s.base)
      #expect([p, q, r, s].allSatisfy(\.isIntact) && [u, v].allSatisfy(\.isIntact) && half.isIntact)
      #expect(rowSums.isIntact)
      return bits(p.array + q.array + r.array + s.array + rowSums.array + product.array + gated.array + [low, high])
        + (u.array + v.array).map { UInt32($0) }
        + half.array.map { UInt32($0) }
    }
    for isa in Self.sets { #expect(all(isa) == all(.scalar), "\(isa)") }
  }
}
