import CKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Element-wise operations on buffers; the output may be one of the operands.
///
/// Long buffers are cut into pieces that threads share out; that has no influence on the results.
public enum Elementwise {
  /// out = clamp(a + b)
  public static func add(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, count: Int,
    clamp: ClosedRange<Float> = -.infinity ... .infinity, pool: ThreadPool, isa: InstructionSet = .current
  ) {
    pool.run(
      ck_f32_pairs(pairs: ck_pairs(flat: count).computing(.add), lo: clamp.lowerBound, hi: clamp.upperBound),
      ck_run_f32_pairs, on: isa.kernels, a, b, to: output, batch: 1)
  }

  /// A function of each element, as a step computes it.
  public enum Function: Hashable, Sendable {
    case clamp(ClosedRange<Float>)
    /// 1 / (1 + exp(-x))
    case sigmoid
    /// x * clamp(x + 3, 0, 6) / 6, each operation rounded to float32 by itself.
    case hardSwish
    // What each computes, and in which order, steps/f32-elements.h says.
    case tanh, erf, exp, log, sqrt, reciprocal, negative, absolute, silu, gelu, geluTanh, softplus, mish
    case sin, cos, floor, ceil, round, sign
    case leakyReLU(slope: Float)
    case elu(alpha: Float)
    case hardSigmoid(slope: Float, offset: Float)

    fileprivate func native(count: Int) -> ck_f32_elements {
      func step(_ function: ck_element_function, _ first: Float = 0, _ second: Float = 0) -> ck_f32_elements {
        ck_f32_elements(count: count, function: function, lo: first, hi: second)
      }
      return switch self {
      case .clamp(let range): step(ck_element_clamp, range.lowerBound, range.upperBound)
      case .sigmoid: step(ck_element_sigmoid)
      case .hardSwish: step(ck_element_hard_swish)
      case .tanh: step(ck_element_tanh)
      case .erf: step(ck_element_erf)
      case .exp: step(ck_element_exp)
      case .log: step(ck_element_log)
      case .sqrt: step(ck_element_sqrt)
      case .reciprocal: step(ck_element_reciprocal)
      case .negative: step(ck_element_negative)
      case .absolute: step(ck_element_absolute)
      case .silu: step(ck_element_silu)
      case .gelu: step(ck_element_gelu)
      case .geluTanh: step(ck_element_gelu_tanh)
      case .softplus: step(ck_element_softplus)
      case .mish: step(ck_element_mish)
      case .sin: step(ck_element_sin)
      case .cos: step(ck_element_cos)
      case .floor: step(ck_element_floor)
      case .ceil: step(ck_element_ceil)
      case .round: step(ck_element_round)
      case .sign: step(ck_element_sign)
      case .leakyReLU(let slope): step(ck_element_leaky_relu, slope)
      case .elu(let alpha): step(ck_element_elu, alpha)
      case .hardSigmoid(let slope, let offset): step(ck_element_hard_sigmoid, slope, offset)
      }
    }

    /// What a plan holds of it, for so many elements a sample.
    public func step(count: Int) -> PreparedStep {
      PreparedStep("f32_elements", native(count: count), worksInPlace: true, run: ck_run_f32_elements)
    }
  }

  /// out = function(a)
  public static func apply(
    _ function: Function, _ a: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, count: Int, pool: ThreadPool,
    isa: InstructionSet = .current
  ) {
    pool.run(function.native(count: count), ck_run_f32_elements, on: isa.kernels, a, to: output, batch: 1)
  }

  /// out = clamp(a)
  public static func clamp(
    _ a: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, count: Int, to range: ClosedRange<Float>,
    pool: ThreadPool, isa: InstructionSet = .current
  ) {
    apply(.clamp(range), a, output: output, count: count, pool: pool, isa: isa)
  }

  /// The gradient of a clamp, fused or not: passes where the clamped value lies strictly inside the range.
  public static func clampGradient(
    outputGradient: UnsafePointer<Float>, clamped: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>,
    count: Int, range: ClosedRange<Float>, pool: ThreadPool
  ) {
    forEachPiece(count, pool) {
      ck_f32_clamp_gradient(
        $1, outputGradient + $0, clamped + $0, range.lowerBound, range.upperBound, inputGradient + $0)
    }
  }

  /// The sum of two coded operands, coded: q = min(max(roundHalfEven(float(a - za) * (sa / so) + float(b - zb) *
  /// (sb / so)) + zo, lo), hi), each operation rounded to float32 by itself.
  public static func add(
    _ a: UnsafePointer<UInt8>, _ quantizationA: AffineQuantization, _ b: UnsafePointer<UInt8>,
    _ quantizationB: AffineQuantization, output: UnsafeMutablePointer<UInt8>, _ quantization: AffineQuantization,
    clamp: ClosedRange<UInt8> = 0...255, count: Int, pool: ThreadPool, isa: InstructionSet = .current
  ) {
    pool.run(
      ck_u8_pairs(
        pairs: ck_pairs(flat: count).computing(.add),
        parameters: .init(.add, quantizationA, quantizationB, quantization, clamp)),
      ck_run_u8_pairs, on: isa.kernels, a, b, to: output, batch: 1)
  }

  /// out = table[a], for any function of codes.
  ///
  /// - Precondition: the table has 256 entries.
  public static func lookup(
    _ a: UnsafePointer<UInt8>, output: UnsafeMutablePointer<UInt8>, count: Int, table: [UInt8], pool: ThreadPool
  ) {
    precondition(table.count == 256)
    table.withUnsafeBytes { table in
      pool.run(
        ck_lookup(count: count), ck_run_lookup, on: InstructionSet.current.kernels, a, to: output,
        constants: table.baseAddress, batch: 1)
    }
  }

  /// What a plan holds of a function of codes, for so many a sample.
  ///
  /// - Precondition: the table has 256 entries.
  public static func lookupStep(count: Int, table: [UInt8]) -> PreparedStep {
    precondition(table.count == 256)
    return PreparedStep(
      "lookup", ck_lookup(count: count), constants: OwnedMemory(table), worksInPlace: true, run: ck_run_lookup)
  }

  /// out = 1 / (1 + exp(-a))
  public static func sigmoid(
    _ a: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, count: Int, pool: ThreadPool
  ) {
    apply(.sigmoid, a, output: output, count: count, pool: pool)
  }

  /// out = a * clamp(a + 3, 0, 6) / 6, each operation rounded to float32 by itself.
  public static func hardSwish(
    _ a: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, count: Int, pool: ThreadPool
  ) {
    apply(.hardSwish, a, output: output, count: count, pool: pool)
  }

  /// The gradient of `hardSwish`: 0 up to -3, 1 from 3 on, `(2 * a + 3) / 6` between.
  public static func hardSwishGradient(
    outputGradient: UnsafePointer<Float>, _ a: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>,
    count: Int, pool: ThreadPool
  ) {
    forEachPiece(count, pool) { start, count in
      let dy = outputGradient + start, a = a + start, dx = inputGradient + start
      for i in 0..<count {
        let slope = a[i] <= -3 ? 0 : a[i] >= 3 ? 1 : (2 * a[i] + 3) / 6
        dx[i] = dy[i] * slope
      }
    }
  }

  /// Softmax of each row, exp(x - max) over their sum, or its logarithm.
  public static func softmax(
    _ a: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, rows: Int, columns: Int, isLogarithm: Bool = false,
    pool: ThreadPool
  ) {
    pool.run(
      ck_f32_softmax_step(rows: rows, columns: columns, is_logarithm: isLogarithm), ck_run_f32_softmax,
      on: InstructionSet.current.kernels, a, to: output, batch: 1)
  }

  /// What a plan holds of a softmax over so many rows a sample.
  public static func softmaxStep(rows: Int, columns: Int, isLogarithm: Bool = false) -> PreparedStep {
    PreparedStep(
      "f32_softmax", ck_f32_softmax_step(rows: rows, columns: columns, is_logarithm: isLogarithm), worksInPlace: true,
      run: ck_run_f32_softmax)
  }

  /// What a plan holds of a softmax of codes, coded (see steps/u8-softmax.h).
  public static func softmaxStep(
    rows: Int, columns: Int, from: AffineQuantization, to: AffineQuantization
  ) -> PreparedStep {
    PreparedStep(
      "u8_softmax",
      ck_u8_softmax(rows: rows, columns: columns, zero_point: to.zeroPoint, limit: to.limit, scale: to.scale),
      constants: OwnedMemory(softmaxTable(scale: from.scale)), worksInPlace: true, run: ck_run_u8_softmax)
  }

  /// The powers of a softmax of codes, by how far a code lies below the greatest of its row.
  public static func softmaxTable(scale: Float) -> [UInt32] {
    (0..<256).map { UInt32((exp(-Double($0) * Double(scale)) * 0x1p22).rounded(.toNearestOrEven)) }
  }

  static let piece = 1 << 14

  /// Calls `body(begin, count)` for each piece of a buffer.
  static func forEachPiece(_ count: Int, _ pool: ThreadPool, _ body: (_ begin: Int, _ count: Int) -> Void) {
    pool.parallelFor(ceilDivide(count, piece)) { index in
      body(index * piece, min(piece, count - index * piece))
    }
  }
}
