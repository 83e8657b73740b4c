import CKernels

/// Conversions of whole buffers between number formats.
public enum Conversion {
  /// The least and greatest value; nil for an empty buffer. With NaN among the values it is unspecified.
  public static func range(
    of values: UnsafePointer<Float>, count: Int, isa: InstructionSet = .current
  ) -> ClosedRange<Float>? {
    guard count > 0 else { return nil }
    var least: Float = 0, greatest: Float = 0
    isa.kernels.pointee.f32_range(count, values, &least, &greatest)
    return least <= greatest ? least...greatest : nil
  }

  /// q = min(max(roundHalfEven(x * (1 / scale)) + zeroPoint, 0), limit); NaN becomes 0.
  public static func quantize(
    _ values: UnsafePointer<Float>, output: UnsafeMutablePointer<UInt8>, count: Int, _ quantization: AffineQuantization,
    pool: ThreadPool, isa: InstructionSet = .current
  ) {
    let kernel = isa.kernels.pointee.f32_quantize!
    Elementwise.forEachPiece(count, pool) {
      kernel($1, values + $0, 1 / quantization.scale, Int32(quantization.zeroPoint), output + $0)
    }
    limit(output, count: count, to: quantization.limit, pool: pool)
  }

  /// Codes above the limit become it.
  static func limit(_ codes: UnsafeMutablePointer<UInt8>, count: Int, to limit: UInt8, pool: ThreadPool) {
    guard limit < 255 else { return }
    Elementwise.lookup(codes, output: codes, count: count, table: limits[Int(limit)], pool: pool)
  }

  /// For each limit the table that applies it: made once, so that nothing is allocated while a network runs.
  private static let limits: [[UInt8]] = (0...255).map { limit in (0...255).map { UInt8(min($0, limit)) } }

  /// x = (q - zeroPoint) * scale
  public static func dequantize(
    _ codes: UnsafePointer<UInt8>, output: UnsafeMutablePointer<Float>, count: Int, _ quantization: AffineQuantization,
    pool: ThreadPool, isa: InstructionSet = .current
  ) {
    let kernel = isa.kernels.pointee.u8_dequantize!
    Elementwise.forEachPiece(count, pool) {
      kernel($1, codes + $0, quantization.scale, Int32(quantization.zeroPoint), output + $0)
    }
  }

  /// The table, for `Elementwise.lookup`, that codes anew: dequantized by one coding, then quantized by the other.
  public static func table(from: AffineQuantization, to: AffineQuantization) -> [UInt8] {
    let kernels = InstructionSet.scalar.kernels.pointee
    let codes = (0...255).map { UInt8($0) }
    var values = [Float](repeating: 0, count: 256), table = codes
    kernels.u8_dequantize(256, codes, from.scale, Int32(from.zeroPoint), &values)
    kernels.f32_quantize(256, values, 1 / to.scale, Int32(to.zeroPoint), &table)
    return table.map { min($0, to.limit) }
  }

  /// What stays of each value when it is coded in so many steps: (q - zeroPoint) * scale, q = min(max(roundHalfEven(x *
  /// (1 / scale)) + zeroPoint, 0), limit); NaN becomes what q = 0 stands for.
  ///
  /// - Precondition: 0 ≤ zeroPoint ≤ limit < 2^22.
  public static func round(
    _ values: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, count: Int, scale: Float, zeroPoint: Int,
    limit: Int, pool: ThreadPool
  ) {
    precondition((0...limit).contains(zeroPoint) && limit < 1 << 22)
    Elementwise.forEachPiece(count, pool) {
      ck_f32_round_affine($1, values + $0, 1 / scale, Float(zeroPoint), Float(limit), scale, output + $0)
    }
  }

  /// The nearest level to each value.
  ///
  /// - Precondition: `middles` has 255 entries, ascending; there is a level for each that is finite, and one more.
  public static func round(
    _ values: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, count: Int, middles: [Float],
    levels: [Float], pool: ThreadPool
  ) {
    precondition(middles.count == 255 && levels.count > middles.count { $0 < .infinity })
    middles.withUnsafeBufferPointer { middles in
      levels.withUnsafeBufferPointer { levels in
        Elementwise.forEachPiece(count, pool) {
          ck_f32_round_levels($1, values + $0, middles.baseAddress!, levels.baseAddress!, output + $0)
        }
      }
    }
  }

  /// Bits of IEEE half precision, rounded to nearest even.
  public static func toHalf(
    _ values: UnsafePointer<Float>, output: UnsafeMutablePointer<UInt16>, count: Int, pool: ThreadPool,
    isa: InstructionSet = .current
  ) {
    let kernel = isa.kernels.pointee.f32_to_half!
    Elementwise.forEachPiece(count, pool) { kernel($1, values + $0, output + $0) }
  }

  /// Exact.
  public static func fromHalf(
    _ halves: UnsafePointer<UInt16>, output: UnsafeMutablePointer<Float>, count: Int, pool: ThreadPool,
    isa: InstructionSet = .current
  ) {
    let kernel = isa.kernels.pointee.half_to_f32!
    Elementwise.forEachPiece(count, pool) { kernel($1, halves + $0, output + $0) }
  }
}
