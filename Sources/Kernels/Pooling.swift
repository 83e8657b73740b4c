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
    let kernel = isa.kernels.pointee.f32_max_pool!
    forEachRun(input, element: 4, batch: batch, pool: pool) { run in
      kernel(
        run.pixels, window.channels, window.taps, run.taps, run.counts, input + run.image * window.inputCount,
        output + run.output, winners.map { $0 + run.output })
    }
  }

  /// The mean under each window: the sum in order of rows and columns, divided by the number of pixels. Padding that
  /// counts adds zeros in its place.
  public func average(
    _ input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, batch: Int, pool: ThreadPool
  ) {
    let kernel = isa.kernels.pointee.f32_average_pool!
    forEachRun(input, element: 4, padding: countsPadding ? 0 : nil, batch: batch, pool: pool) { run in
      kernel(run.pixels, window.channels, window.taps, run.taps, run.counts, output + run.output)
    }
  }

  public func maximum(
    _ input: UnsafePointer<UInt8>, output: UnsafeMutablePointer<UInt8>, batch: Int, pool: ThreadPool
  ) {
    let kernel = isa.kernels.pointee.u8_max_pool!
    forEachRun(input, element: 1, batch: batch, pool: pool) { run in
      kernel(run.pixels, window.channels, window.taps, run.taps, run.counts, output + run.output)
    }
  }

  /// The mean of coded values, coded: q = min(max(roundHalfEven(float(sum of x - zero point) * (scale / output scale)
  /// / float(count)) + output zero point, 0), output limit), each operation rounded to float32 by itself.
  public func average(
    _ input: UnsafePointer<UInt8>, _ quantization: AffineQuantization, output: UnsafeMutablePointer<UInt8>,
    _ outputQuantization: AffineQuantization, batch: Int, pool: ThreadPool
  ) {
    let kernel = isa.kernels.pointee.u8_average_pool!
    let scale = quantization.scale / outputQuantization.scale
    let padding = countsPadding ? quantization.zeroPoint : nil
    forEachRun(input, element: 1, padding: padding, batch: batch, pool: pool) { run in
      kernel(
        run.pixels, window.channels, window.taps, run.taps, run.counts, Int32(quantization.zeroPoint), scale,
        Int32(outputQuantization.zeroPoint), output + run.output)
    }
    let count = batch * window.outputPixels * window.channels
    Conversion.limit(output, count: count, to: outputQuantization.limit, pool: pool)
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
    let inner = ThreadPool.serial
    pool.parallelFor(batch) { image in
      let to = inputGradient + image * window.inputCount
      to.update(repeating: 0, count: window.inputCount)
      let from = outputGradient + image * window.outputPixels * window.channels
      forEachRun(to, element: 4, batch: 1, pool: inner) { run in
        run.taps.withMemoryRebound(to: UnsafeMutableRawPointer?.self, capacity: run.pixels * window.taps) { taps in
          ck_f32_average_spread(
            run.pixels, window.channels, window.taps, taps, run.counts, countsPadding ? UInt32(window.taps) : 0,
            from + run.output)
        }
      }
    }
  }

  // MARK: Walking

  private struct Run {
    let image: Int
    /// Offset of the first output, in elements.
    let output: Int
    let pixels: Int
    let taps: UnsafeMutablePointer<UnsafeRawPointer?>
    let counts: UnsafePointer<UInt32>
  }

  /// Calls `body` for runs of neighbouring outputs, in parallel over output rows.
  ///
  /// - Parameter padding: what every byte outside the image is; nil leaves those pixels out.
  private func forEachRun(
    _ input: UnsafeRawPointer, element: Int, padding: UInt8? = nil, batch: Int, pool: ThreadPool, _ body: (Run) -> Void
  ) {
    let outside = padding == nil ? 0 : window.channels * element
    withUnsafeTemporaryAllocation(byteCount: outside, alignment: 64) { outside in
      outside.initializeMemory(as: UInt8.self, repeating: padding ?? 0)
      forEachRun(input, element: element, outside: padding.map { _ in outside }, batch: batch, pool: pool, body)
    }
  }

  private func forEachRun(
    _ input: UnsafeRawPointer, element: Int, outside: UnsafeMutableRawBufferPointer?, batch: Int, pool: ThreadPool,
    _ body: (Run) -> Void
  ) {
    var native = window.native
    let height = window.outputHeight
    let length = min(window.outputWidth, max(1, 512 / window.taps))
    let pool = pool.forWork(batch * window.outputPixels * window.channels * window.taps)
    withUnsafePointer(to: &native) { native in
      pool.parallelFor(batch * height) { index in
        let (image, y) = index.quotientAndRemainder(dividingBy: height)
        withUnsafeTemporaryAllocation(of: UnsafeRawPointer?.self, capacity: length * window.taps) { taps in
          withUnsafeTemporaryAllocation(of: UInt32.self, capacity: length) { counts in
            var x = 0
            while x < window.outputWidth {
              let pixels = min(length, window.outputWidth - x)
              let source = input + image * window.inputCount * element
              if let outside {
                ck_window_taps(native, source, element, y, x, pixels, outside.baseAddress, taps.baseAddress)
                counts.update(repeating: UInt32(window.taps))
              } else {
                ck_window_inside(native, source, element, y, x, pixels, taps.baseAddress, counts.baseAddress)
              }
              body(
                Run(
                  image: image, output: (index * window.outputWidth + x) * window.channels, pixels: pixels,
                  taps: taps.baseAddress!, counts: counts.baseAddress!))
              x += pixels
            }
          }
        }
      }
    }
  }
}
