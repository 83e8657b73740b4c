import CKernels
import Diagnostics

/// Maximum and average pooling over NHWC images, in float32 and in 8-bit integers.
///
/// Pixels outside the image take no part: the average divides by the number inside, or, when it counts the padding,
/// by the window's size, as if zeros lay there. A window that covers the whole image is global pooling.
public struct Pooling: Sendable {
  public let window: WindowGeometry
  public let countsPadding: Bool
  private let isa: InstructionSet

  /// - Throws: `CompressError` when the window is dilated, or its padding is so large that it could lie outside
  ///   the image altogether.
  public init(_ window: WindowGeometry, countsPadding: Bool = false, isa: InstructionSet = .current) throws {
    guard window.dilationHeight == 1, window.dilationWidth == 1 else {
      throw CompressError("pooling with dilation \(window.dilationHeight)x\(window.dilationWidth)")
    }
    let padding = window.padding
    guard max(padding.top, padding.bottom) < window.kernelHeight, max(padding.left, padding.right) < window.kernelWidth
    else {
      throw CompressError(
        "padding (top \(padding.top), left \(padding.left), bottom \(padding.bottom), right \(padding.right)) is not "
          + "smaller than the pooling window \(window.kernelHeight)x\(window.kernelWidth)")
    }
    self.window = window
    self.countsPadding = countsPadding && padding != .none
    self.isa = isa
  }

  /// The window of global pooling.
  public static func global(height: Int, width: Int, channels: Int, isa: InstructionSet = .current) throws -> Pooling {
    try Pooling(WindowGeometry(height: height, width: width, channels: channels, kernel: (height, width)), isa: isa)
  }

  /// The greatest value under each window.
  ///
  /// - Parameter winners: receives, for the gradient, where it was: the offset in elements from the beginning of
  ///   its own image. Of equal values the first wins.
  public func maximum(
    _ input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, winners: UnsafeMutablePointer<Int32>? = nil,
    batch: Int, pool: ThreadPool
  ) {
    precondition(winners == nil || window.inputCount <= Int(Int32.max))
    run(floats(.max, givesWinners: winners != nil), input, output, winners, batch, pool)
  }

  /// The mean under each window: the sum in order of rows and columns, divided by the number of pixels. Padding that
  /// counts adds zeros in its place.
  public func average(
    _ input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, batch: Int, pool: ThreadPool
  ) {
    run(floats(.average), input, output, nil, batch, pool)
  }

  public func maximum(
    _ input: UnsafePointer<UInt8>, output: UnsafeMutablePointer<UInt8>, batch: Int, pool: ThreadPool
  ) {
    run(maximumOfCodes(hasTable: false), input, output, batch, pool)
  }

  /// The mean of coded values, coded: q = min(max(roundHalfEven(float(sum of x - zero point) * (scale / output scale)
  /// / float(count)) + output zero point, 0), output limit), each operation rounded to float32 by itself.
  public func average(
    _ input: UnsafePointer<UInt8>, _ quantization: AffineQuantization, output: UnsafeMutablePointer<UInt8>,
    _ outputQuantization: AffineQuantization, batch: Int, pool: ThreadPool
  ) {
    run(averageOfCodes(quantization, outputQuantization), input, output, batch, pool)
  }

  // MARK: Steps

  public enum Reduction: Sendable { case max, average }

  private func floats(_ reduction: Reduction, givesWinners: Bool = false) -> ck_f32_pooling {
    ck_f32_pooling(
      window: window.native, is_average: reduction == .average, counts_padding: countsPadding,
      gives_winners: givesWinners)
  }

  private func maximumOfCodes(hasTable: Bool) -> ck_u8_pooling {
    var step = ck_u8_pooling()
    step.window = window.native
    step.has_table = hasTable
    return step
  }

  private func averageOfCodes(_ from: AffineQuantization, _ to: AffineQuantization) -> ck_u8_pooling {
    ck_u8_pooling(
      window: window.native, is_average: true, counts_padding: countsPadding, has_table: false, zero: from.zeroPoint,
      zero_point: to.zeroPoint, limit: to.limit, scale: from.scale / to.scale)
  }

  /// What a plan holds of a pooling of floats.
  public func step(_ reduction: Reduction) -> PreparedStep {
    PreparedStep("f32_pooling", floats(reduction), run: ck_run_f32_pooling, scratch: ck_scratch_f32_pooling)
  }

  /// The greatest code; the table, where there is one, codes the result anew.
  public func maximumStep(table: [UInt8]?) -> PreparedStep {
    PreparedStep(
      "u8_pooling", maximumOfCodes(hasTable: table != nil), constants: table.map { OwnedMemory($0) },
      run: ck_run_u8_pooling, scratch: ck_scratch_u8_pooling)
  }

  public func averageStep(from: AffineQuantization, to: AffineQuantization) -> PreparedStep {
    PreparedStep("u8_pooling", averageOfCodes(from, to), run: ck_run_u8_pooling, scratch: ck_scratch_u8_pooling)
  }

  private func run(
    _ step: ck_f32_pooling, _ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>,
    _ winners: UnsafeMutablePointer<Int32>?, _ batch: Int, _ pool: ThreadPool
  ) {
    let bytes = withUnsafePointer(to: step) { ck_scratch_f32_pooling($0, batch, pool.threads) }
    withUnsafeTemporaryAllocation(byteCount: bytes, alignment: vectorAlignment) { scratch in
      pool.run(
        step, ck_run_f32_pooling, on: isa.kernels, input, to: output, winners, scratch: scratch.baseAddress,
        batch: batch)
    }
  }

  private func run(
    _ step: ck_u8_pooling, _ input: UnsafePointer<UInt8>, _ output: UnsafeMutablePointer<UInt8>, _ batch: Int,
    _ pool: ThreadPool
  ) {
    let bytes = withUnsafePointer(to: step) { ck_scratch_u8_pooling($0, batch, pool.threads) }
    withUnsafeTemporaryAllocation(byteCount: bytes, alignment: vectorAlignment) { scratch in
      pool.run(
        step, ck_run_u8_pooling, on: isa.kernels, input, to: output, scratch: scratch.baseAddress,
        batch: batch)
    }
  }

  // MARK: Gradients

  /// The gradient of `maximum`: each output's goes to its winner. Overwrites `inputGradient`.
  public func maximumGradient(
    outputGradient: UnsafePointer<Float>, winners: UnsafePointer<Int32>, inputGradient: UnsafeMutablePointer<Float>,
    batch: Int, pool: ThreadPool
  ) {
    let count = window.outputPixels * window.channels
    pool.parallelFor(batch) { image in
      let to = inputGradient + image * window.inputCount
      to.update(repeating: 0, count: window.inputCount)
      ck_f32_scatter_add(count, winners + image * count, outputGradient + image * count, to)
    }
  }

  /// The gradient of `average`: each output's is shared out among the pixels of its window. Overwrites
  /// `inputGradient`.
  public func averageGradient(
    outputGradient: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>, batch: Int, pool: ThreadPool
  ) {
    pool.parallelFor(batch) { image in
      let to = inputGradient + image * window.inputCount
      to.update(repeating: 0, count: window.inputCount)
      let from = outputGradient + image * window.outputPixels * window.channels
      withUnsafePointer(to: window.native) { ck_f32_average_spread($0, countsPadding, from, to) }
    }
  }
}
