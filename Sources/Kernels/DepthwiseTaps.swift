import CKernels

/// Walks over the output rows of a depthwise convolution in float32 with pointers to the pixels under each window (see
/// ck-taps.h): for gradients; the convolution itself is a step.
struct DepthwiseTaps {
  private let window: ck_window

  init(_ geometry: ConvolutionGeometry) { window = geometry.window.native }

  private static let element = MemoryLayout<Float>.stride

  func scratchBytes(threads: Int) -> Int {
    withUnsafePointer(to: window) { ck_tap_scratch($0, Self.element, threads) }
  }

  /// Scratch for each thread to walk by itself.
  func scratches(threads: Int, _ cursor: inout ScratchCursor) -> [UnsafeMutableRawBufferPointer] {
    let bytes = alignedBytes(scratchBytes(threads: 1))
    return (0..<threads).map { _ in
      UnsafeMutableRawBufferPointer(start: cursor.take(bytes, of: UInt8.self), count: bytes)
    }
  }

  /// Calls `body` for every run of neighbouring outputs whose windows lie alike, in parallel over output rows. Outside
  /// the image the taps point to zeros.
  func forEachRun(
    _ input: UnsafePointer<Float>, batch: Int, scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool,
    _ body: (ck_tap_run) -> Void
  ) {
    precondition(scratch.count >= scratchBytes(threads: pool.threads), "too little scratch")
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { context in
        withUnsafePointer(to: window) { window in
          withUnsafePointer(to: UInt8(0)) { zero in
            pool.withWorkers { workers in
              ck_each_tap_run(
                window, input, Self.element, batch, .max, zero, 0, scratch.baseAddress, workers,
                { context, run in context!.assumingMemoryBound(to: Body.self).pointee(run!.pointee) },
                UnsafeMutableRawPointer(mutating: context))
            }
          }
        }
      }
    }
  }

  private typealias Body = (ck_tap_run) -> Void
}
