import CKernels

/// Walks over the output rows of a depthwise convolution with pointers to the pixels under each window.
struct DepthwiseTaps {
  let window: WindowGeometry
  /// Bytes of one channel of one pixel.
  let element: Int

  init(_ geometry: ConvolutionGeometry, element: Int) {
    window = geometry.window
    self.element = element
  }

  /// Some neighbouring outputs of one row whose windows lie alike.
  struct Run {
    let image: Int
    /// The first output pixel, counted over the batch.
    let outputPixel: Int
    let pixels: Int
    /// `window.taps` pointers, those of the first output.
    let taps: UnsafeMutablePointer<UnsafeRawPointer?>
    /// Elements from one output's taps to the next.
    let step: Int
    let worker: Int
  }

  private var tapBytes: Int { alignedBytes(window.taps * MemoryLayout<UnsafeRawPointer?>.stride) }
  private var padBytes: Int { alignedBytes(window.width * window.channels * element) }

  func scratchBytes(threads: Int) -> Int { ScratchCursor.padded(threads * (tapBytes + padBytes)) }

  /// Scratch for each thread to walk by itself.
  func scratches(threads: Int, _ cursor: inout ScratchCursor) -> [UnsafeMutableRawBufferPointer] {
    let bytes = alignedBytes(scratchBytes(threads: 1))
    return (0..<threads).map { _ in
      UnsafeMutableRawBufferPointer(start: cursor.take(bytes, of: UInt8.self), count: bytes)
    }
  }

  /// Calls `body` for every run of at most `most` outputs, in parallel over output rows. Outside the image the taps
  /// point to pixels whose bytes are all `padByte(image)`.
  func forEachRun(
    _ input: UnsafeRawPointer, batch: Int, most: Int = .max, padByte: (_ image: Int) -> UInt8,
    scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool, _ body: (Run) -> Void
  ) {
    var cursor = ScratchCursor(scratch, needed: scratchBytes(threads: pool.threads))
    let pads = cursor.take(pool.threads * padBytes, of: UInt8.self)
    let pointers = cursor.take(
      pool.threads * tapBytes / MemoryLayout<UnsafeRawPointer?>.stride, of: UnsafeRawPointer?.self)
    var native = window.native
    let height = window.outputHeight
    let pool = pool.forWork(batch * window.outputPixels * window.channels * window.taps)
    withUnsafePointer(to: &native) { native in
      pool.parallelFor(batch * height) { index, worker in
        let (image, y) = index.quotientAndRemainder(dividingBy: height)
        let pad = pads + worker * padBytes
        pad.update(repeating: padByte(image), count: padPixels(y) * window.channels * element)
        let taps = pointers + worker * tapBytes / MemoryLayout<UnsafeRawPointer?>.stride
        var x = 0
        while x < window.outputWidth {
          let pixels = ck_window_run(
            native, input + image * window.inputCount * element, element, y, x, most, pad, taps)
          body(
            Run(
              image: image, outputPixel: index * window.outputWidth + x, pixels: pixels, taps: taps,
              step: window.strideWidth * window.channels, worker: worker))
          x += pixels
        }
      }
    }
  }

  /// How many pixels of padding the windows of an output row may read: a whole row where a row of taps lies outside.
  private func padPixels(_ y: Int) -> Int {
    let top = y * window.strideHeight - window.padding.top
    let bottom = top + (window.kernelHeight - 1) * window.dilationHeight
    return top < 0 || bottom >= window.height ? window.width : 1
  }
}
