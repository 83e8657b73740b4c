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
    pool.run(
      ck_conversion(count: count, quantization: quantization.native), ck_run_quantize, on: isa.kernels, values,
      to: output, batch: 1)
  }

  /// What a plan holds of it, for so many values a sample.
  public static func quantizeStep(count: Int, _ quantization: AffineQuantization) -> PreparedStep {
    PreparedStep("quantize", ck_conversion(count: count, quantization: quantization.native), run: ck_run_quantize)
  }

  /// x = (q - zeroPoint) * scale
  public static func dequantize(
    _ codes: UnsafePointer<UInt8>, output: UnsafeMutablePointer<Float>, count: Int, _ quantization: AffineQuantization,
    pool: ThreadPool, isa: InstructionSet = .current
  ) {
    pool.run(
      ck_conversion(count: count, quantization: quantization.native), ck_run_dequantize, on: isa.kernels, codes,
      to: output, batch: 1)
  }

  public static func dequantizeStep(count: Int, _ quantization: AffineQuantization) -> PreparedStep {
    PreparedStep("dequantize", ck_conversion(count: count, quantization: quantization.native), run: ck_run_dequantize)
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
    pool.run(
      rounding(count, scale, zeroPoint, limit), ck_run_round_affine, on: InstructionSet.current.kernels, values,
      to: output, batch: 1)
  }

  public static func roundStep(count: Int, scale: Float, zeroPoint: Int, limit: Int) -> PreparedStep {
    PreparedStep(
      "round_affine", rounding(count, scale, zeroPoint, limit), worksInPlace: true, run: ck_run_round_affine)
  }

  private static func rounding(_ count: Int, _ scale: Float, _ zeroPoint: Int, _ limit: Int) -> ck_affine_rounding {
    precondition((0...limit).contains(zeroPoint) && limit < 1 << 22)
    return ck_affine_rounding(count: count, scale: scale, zero_point: Float(zeroPoint), limit: Float(limit))
  }

  /// The nearest level to each value.
  ///
  /// - Precondition: `middles` has 255 entries, ascending; there is a level for each that is finite, and one more.
  public static func round(
    _ values: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, count: Int, middles: [Float],
    levels: [Float], pool: ThreadPool
  ) {
    levelTable(middles, levels).withUnsafeBytes { table in
      pool.run(
        ck_level_rounding(count: count), ck_run_round_levels, on: InstructionSet.current.kernels, values,
        to: output, constants: table.baseAddress, batch: 1)
    }
  }

  public static func roundStep(count: Int, middles: [Float], levels: [Float]) -> PreparedStep {
    PreparedStep(
      "round_levels", ck_level_rounding(count: count), constants: OwnedMemory(levelTable(middles, levels)),
      worksInPlace: true, run: ck_run_round_levels)
  }

  private static func levelTable(_ middles: [Float], _ levels: [Float]) -> [Float] {
    precondition(middles.count == 255 && levels.count > middles.count { $0 < .infinity })
    return middles + levels
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
