import CKernels

/// An image in another size, each pixel between two rows and two columns (see steps/f32-bilinear.h).
public struct Interpolation: Sendable {
  public typealias Tap = (first: Int, second: Int, share: Float)

  public let height, width, channels: Int
  public let rows, columns: [Tap]

  /// - Parameter height: of the input, as `width` and `channels` are; `rows` and `columns` are of the result.
  public init(height: Int, width: Int, channels: Int, rows: [Tap], columns: [Tap]) {
    self.height = height
    self.width = width
    self.channels = channels
    self.rows = rows
    self.columns = columns
  }

  /// What a plan holds of it.
  public var step: PreparedStep {
    PreparedStep(
      "f32_bilinear",
      ck_f32_bilinear(
        in_height: height, in_width: width, out_height: rows.count, out_width: columns.count, channels: channels),
      constants: OwnedMemory(
        (rows + columns).map { ck_tap(first: UInt32($0.first), second: UInt32($0.second), share: $0.share) }),
      run: ck_run_f32_bilinear)
  }

  /// The same of codes, coded (see steps/u8-bilinear.h).
  public func step(from: AffineQuantization, to: AffineQuantization) -> PreparedStep {
    let one = Float(CK_TAP_ONE)
    let taps = (rows + columns).map {
      ck_integer_tap(
        first: UInt32($0.first), second: UInt32($0.second),
        weight: Int32(($0.share * one).rounded(.toNearestOrEven)))
    }
    return PreparedStep(
      "u8_bilinear",
      ck_u8_bilinear(
        in_height: height, in_width: width, out_height: rows.count, out_width: columns.count, channels: channels,
        zero: from.zeroPoint, zero_point: to.zeroPoint, limit: to.limit,
        scale: from.scale / to.scale / (one * one)),
      constants: OwnedMemory(taps), run: ck_run_u8_bilinear)
  }

  /// Adds a gradient by the result to one by the input, pixel after pixel.
  public func accumulate(
    _ gradient: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, batch: Int, pool: ThreadPool
  ) {
    pool.parallelFor(batch) { sample in
      let target = target + sample * height * width * channels
      var from = gradient + sample * rows.count * columns.count * channels
      for row in rows {
        for column in columns {
          let corners = [
            (row.first, column.first, (1 - row.share) * (1 - column.share)),
            (row.first, column.second, (1 - row.share) * column.share),
            (row.second, column.first, row.share * (1 - column.share)),
            (row.second, column.second, row.share * column.share),
          ]
          for (y, x, share) in corners where share != 0 {
            let to = target + (y * width + x) * channels
            for c in 0..<channels { to[c] += share * from[c] }
          }
          from += channels
        }
      }
    }
  }
}
