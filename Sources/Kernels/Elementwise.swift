import CKernels

/// Element-wise operations on buffers; the output may be one of the operands.
///
/// Long buffers are cut into pieces that threads share out; that has no influence on the results.
public enum Elementwise {
  /// out = clamp(a + b)
  public static func add(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, count: Int,
    clamp: ClosedRange<Float> = -.infinity ... .infinity, pool: ThreadPool, isa: InstructionSet = .current
  ) {
    let kernel = isa.kernels.pointee.f32_add!
    forEachPiece(count, pool) { kernel($1, a + $0, b + $0, clamp.lowerBound, clamp.upperBound, output + $0) }
  }

  /// out = clamp(a)
  public static func clamp(
    _ a: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, count: Int, to range: ClosedRange<Float>,
    pool: ThreadPool, isa: InstructionSet = .current
  ) {
    let kernel = isa.kernels.pointee.f32_clamp!
    forEachPiece(count, pool) { kernel($1, a + $0, range.lowerBound, range.upperBound, output + $0) }
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
    let kernel = isa.kernels.pointee.u8_add!
    var parameters = ck_u8_add_parameters(
      zero_a: Int32(quantizationA.zeroPoint), zero_b: Int32(quantizationB.zeroPoint),
      zero_point: Int32(quantization.zeroPoint), lo: Int32(clamp.lowerBound),
      hi: Int32(min(clamp.upperBound, quantization.limit)),
      scale_a: quantizationA.scale / quantization.scale, scale_b: quantizationB.scale / quantization.scale)
    withUnsafePointer(to: &parameters) { parameters in
      forEachPiece(count, pool) { kernel($1, a + $0, b + $0, parameters, output + $0) }
    }
  }

  /// out = table[a], for any function of codes.
  ///
  /// - Precondition: the table has 256 entries.
  public static func lookup(
    _ a: UnsafePointer<UInt8>, output: UnsafeMutablePointer<UInt8>, count: Int, table: [UInt8], pool: ThreadPool
  ) {
    precondition(table.count == 256)
    table.withUnsafeBufferPointer { table in
      forEachPiece(count, pool) { ck_u8_lookup($1, a + $0, table.baseAddress!, output + $0) }
    }
  }

  /// out = 1 / (1 + exp(-a))
  public static func sigmoid(
    _ a: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, count: Int, pool: ThreadPool
  ) {
    forEachPiece(count, pool) { ck_f32_sigmoid($1, a + $0, output + $0) }
  }

  /// out = a * clamp(a + 3, 0, 6) / 6, each operation rounded to float32 by itself.
  public static func hardSwish(
    _ a: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, count: Int, pool: ThreadPool
  ) {
    forEachPiece(count, pool) { start, count in
      let a = a + start, output = output + start
      for i in 0..<count {
        let shifted = a[i] + 3
        let gate = shifted < 0 ? 0 : shifted > 6 ? 6 : shifted
        output[i] = a[i] * gate / 6
      }
    }
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

  /// Softmax of each row: exp(x - max) over their sum.
  public static func softmax(
    _ a: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, rows: Int, columns: Int, pool: ThreadPool
  ) {
    guard columns > 0 else { return }
    let perPiece = max(1, piece / columns)
    pool.parallelFor(ceilDivide(rows, perPiece)) { index in
      let row = index * perPiece
      ck_f32_softmax(min(perPiece, rows - row), columns, a + row * columns, output + row * columns)
    }
  }

  static let piece = 1 << 14

  /// Calls `body(begin, count)` for each piece of a buffer.
  static func forEachPiece(_ count: Int, _ pool: ThreadPool, _ body: (_ begin: Int, _ count: Int) -> Void) {
    pool.parallelFor(ceilDivide(count, piece)) { index in
      body(index * piece, min(piece, count - index * piece))
    }
  }
}
