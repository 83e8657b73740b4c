import CKernels

extension ConvolutionGradient {
  /// Output pixels, of however many images, whose products are summed before the next are packed: a panel of them stays
  /// in the second cache level.
  private static let pixelsPerChunk = 512

  private var outputPairs: Int { Self.pixelsPerChunk / 2 * geometry.outputChannels }
  private var panelPairs: Int { Self.pixelsPerChunk / 2 * isa.kernels.pointee.bf16_tile.columns }

  var pairsScratchBytes: (shared: Int, perThread: Int) {
    let pointers = alignedBytes(Self.pixelsPerChunk * MemoryLayout<UnsafePointer<Float>?>.stride)
    return (
      alignedBytes(outputPairs * 4) + alignedBytes(geometry.outputChannels * 4)
        + alignedBytes(isa.kernels.pointee.bf16_tile.columns * 4),
      alignedBytes(panelPairs * 4) + pointers
    )
  }

  private struct Work {
    let panel: UnsafeMutablePointer<UInt32>
    let places: UnsafeMutablePointer<UnsafePointer<Float>?>
  }

  /// The weight gradient with both factors rounded to bfloat16: chunk by chunk, for each kernel position and block of
  /// input channels, a product of the output's gradient with the pixels that position saw, in pairs of pixels. Each
  /// element is one chain over the pixels of the whole batch; pixels outside the image count as zero.
  func sumPairs(
    _ input: UnsafePointer<Float>, _ outputGradient: UnsafePointer<Float>,
    _ weightGradient: UnsafeMutablePointer<Float>, _ biasGradient: UnsafeMutablePointer<Float>?,
    _ batch: Int, _ cursor: inout ScratchCursor, _ pool: ThreadPool
  ) {
    let kernels = isa.kernels.pointee
    let outputs = geometry.outputChannels, perGroup = geometry.channelsPerGroup
    let packed = cursor.take(outputPairs, of: UInt32.self)
    let sums = cursor.take(outputs, of: Float.self)
    let zeros = cursor.take(kernels.bf16_tile.columns, of: Float.self)
    zeros.update(repeating: 0, count: kernels.bf16_tile.columns)
    let works = (0..<pool.threads).map { _ in
      Work(
        panel: cursor.take(panelPairs, of: UInt32.self),
        places: cursor.take(Self.pixelsPerChunk, of: UnsafePointer<Float>?.self))
    }
    weightGradient.update(repeating: 0, count: geometry.weightCount)
    biasGradient?.update(repeating: 0, count: outputs)

    let blocks = ceilDivide(perGroup, kernels.bf16_tile.columns)
    let perTap = geometry.groups * blocks, products = geometry.window.taps * perTap
    let pixels = batch * geometry.window.outputPixels
    for first in stride(from: 0, to: pixels, by: Self.pixelsPerChunk) {
      let count = min(Self.pixelsPerChunk, pixels - first)
      let gradient = outputGradient + first * outputs
      let piece = 64
      pool.parallelFor(ceilDivide(count, piece)) { index, worker in
        let begin = index * piece, places = works[worker].places
        let rows = min(piece, count - begin)
        for row in 0..<rows { places[row] = gradient + (begin + row) * outputs }
        kernels.bf16_columns(outputs, outputs, rows, places, packed + begin / 2 * outputs)
      }
      pool.parallelFor(products + (biasGradient == nil ? 0 : 1)) { index, worker in
        guard index < products else {
          sums.update(repeating: 0, count: outputs)
          kernels.f32_add_rows(count, outputs, gradient, outputs, sums)
          kernels.f32_add(outputs, biasGradient!, sums, -.infinity, .infinity, biasGradient!)
          return
        }
        let (tap, place) = index.quotientAndRemainder(dividingBy: perTap)
        let (group, block) = place.quotientAndRemainder(dividingBy: blocks)
        let channel = block * kernels.bf16_tile.columns
        let n = min(kernels.bf16_tile.columns, perGroup - channel), width = roundUp(n, to: kernels.bf16_tile.lanes)
        let work = works[worker]
        findPixels(
          tap, first..<first + count, input + group * perGroup + channel, outside: zeros, into: work.places)
        kernels.bf16_columns(n, width, count, work.places, work.panel)
        let target = weightGradient + tap * perGroup + channel
        for output in stride(from: 0, to: geometry.outputsPerGroup, by: kernels.bf16_tile.rows) {
          let row = group * geometry.outputsPerGroup + output
          kernels.bf16_gemm(
            min(kernels.bf16_tile.rows, geometry.outputsPerGroup - output), n, ceilDivide(count, 2), packed + row, 1,
            outputs, work.panel, width, nil, target + row * geometry.depth, geometry.depth, -.infinity, .infinity)
        }
      }
    }
  }

  /// Where the pixels are that a kernel position sees from each of the outputs.
  private func findPixels(
    _ tap: Int, _ outputs: Range<Int>, _ input: UnsafePointer<Float>, outside: UnsafePointer<Float>,
    into places: UnsafeMutablePointer<UnsafePointer<Float>?>
  ) {
    let window = geometry.window
    let (ky, kx) = tap.quotientAndRemainder(dividingBy: window.kernelWidth)
    var (row, x) = outputs.lowerBound.quotientAndRemainder(dividingBy: window.outputWidth)
    var index = 0
    while index < outputs.count {
      let (image, y) = row.quotientAndRemainder(dividingBy: window.outputHeight)
      let inputY = y * window.strideHeight + ky * window.dilationHeight - window.padding.top
      let line = input + (image * window.height + inputY) * window.width * window.channels
      let isInside = inputY >= 0 && inputY < window.height
      let end = min(window.outputWidth, x + outputs.count - index)
      var inputX = x * window.strideWidth + kx * window.dilationWidth - window.padding.left
      while x < end {
        places[index] = isInside && inputX >= 0 && inputX < window.width ? line + inputX * window.channels : outside
        x += 1
        inputX += window.strideWidth
        index += 1
      }
      x = 0
      row += 1
    }
  }
}
