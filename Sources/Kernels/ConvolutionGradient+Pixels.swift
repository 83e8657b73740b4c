import CKernels

extension ConvolutionGradient {
  /// What a chunk's images and their gradients may take, so that they stay in the second cache level.
  private static let chunkBytes = 512 << 10

  /// Some whole images, or some output rows of one: a matter of shapes only.
  private struct Chunk {
    let images, rows: Range<Int>
  }

  private func pixelChunks(_ batch: Int) -> [Chunk] {
    let height = geometry.outputHeight
    let images = Self.chunkBytes / ((geometry.inputCount + geometry.outputCount) * 4)
    if images > 0 {
      return stride(from: 0, to: batch, by: images).map {
        Chunk(images: $0..<min($0 + images, batch), rows: 0..<height)
      }
    }
    let window = geometry.window
    let rowBytes =
      (window.strideHeight * window.width * window.channels + window.outputWidth * geometry.outputChannels) * 4
    let rows = max(1, Self.chunkBytes / rowBytes)
    return (0..<batch).flatMap { image in
      stride(from: 0, to: height, by: rows).map {
        Chunk(images: image..<image + 1, rows: $0..<min($0 + rows, height))
      }
    }
  }

  /// The weight gradient from the images as they lie: for each kernel position a product of the output's gradient with
  /// the pixels it saw. Each element is summed over a chunk's pixels in order, then over the chunks.
  func sumPixels(
    _ input: UnsafePointer<Float>, _ outputGradient: UnsafePointer<Float>,
    _ weightGradient: UnsafeMutablePointer<Float>, _ biasGradient: UnsafeMutablePointer<Float>?, _ batch: Int,
    _ sums: UnsafeMutablePointer<Float>, _ pool: ThreadPool
  ) {
    let kernels = isa.kernels.pointee
    let perGroup = geometry.channelsPerGroup, blocks = ceilDivide(perGroup, kernels.f32_tile.columns)
    let taps = geometry.window.taps, perTap = geometry.groups * blocks
    weightGradient.update(repeating: 0, count: geometry.weightCount)
    biasGradient?.update(repeating: 0, count: geometry.outputChannels)
    for chunk in pixelChunks(batch) {
      pool.parallelFor(taps * perTap + (biasGradient == nil ? 0 : 1)) { index in
        guard index < taps * perTap else {
          sumBias(chunk, outputGradient, biasGradient!, sums)
          return
        }
        let (tap, place) = index.quotientAndRemainder(dividingBy: perTap)
        let (group, block) = place.quotientAndRemainder(dividingBy: blocks)
        sumTap(chunk, tap, group, block * kernels.f32_tile.columns, input, outputGradient, weightGradient)
      }
    }
  }

  private func sumBias(
    _ chunk: Chunk, _ outputGradient: UnsafePointer<Float>, _ biasGradient: UnsafeMutablePointer<Float>,
    _ sums: UnsafeMutablePointer<Float>
  ) {
    // A chunk is whole images or rows of one: its pixels follow each other.
    let first = (chunk.images.lowerBound * geometry.outputHeight + chunk.rows.lowerBound) * geometry.outputWidth
    sumRows(
      outputGradient + first * geometry.outputChannels,
      chunk.images.count * chunk.rows.count * geometry.outputWidth, biasGradient, sums)
  }

  /// Adds so many pixels' gradients to the bias', through `sums`.
  func sumRows(
    _ outputGradient: UnsafePointer<Float>, _ pixels: Int, _ biasGradient: UnsafeMutablePointer<Float>,
    _ sums: UnsafeMutablePointer<Float>
  ) {
    let outputs = geometry.outputChannels
    sums.update(repeating: 0, count: outputs)
    isa.kernels.pointee.f32_add_rows(pixels, outputs, outputGradient, outputs, sums)
    isa.kernels.pointee.f32_add(outputs, biasGradient, sums, -.infinity, .infinity, biasGradient)
  }

  /// One kernel position and one block of input channels, for all outputs of the group.
  private func sumTap(
    _ chunk: Chunk, _ tap: Int, _ group: Int, _ channel: Int, _ input: UnsafePointer<Float>,
    _ outputGradient: UnsafePointer<Float>, _ weightGradient: UnsafeMutablePointer<Float>
  ) {
    let window = geometry.window, kernels = isa.kernels.pointee
    let (ky, kx) = tap.quotientAndRemainder(dividingBy: window.kernelWidth)
    let outputs = geometry.outputChannels, channels = window.channels
    let rows = Self.outputs(
      seeing: ky * window.dilationHeight - window.padding.top, window.strideHeight, window.height, chunk.rows)
    let columns = Self.outputs(
      seeing: kx * window.dilationWidth - window.padding.left, window.strideWidth, window.width, 0..<window.outputWidth)
    guard !rows.isEmpty, !columns.isEmpty else { return }
    let y = rows.lowerBound * window.strideHeight + ky * window.dilationHeight - window.padding.top
    let x = columns.lowerBound * window.strideWidth + kx * window.dilationWidth - window.padding.left
    var pixels = ck_pixels(
      images: chunk.images.count, rows: rows.count, columns: columns.count, a_image: geometry.outputCount,
      a_row: window.outputWidth * outputs, a_column: outputs, b_image: geometry.inputCount,
      b_row: window.strideHeight * window.width * channels, b_column: window.strideWidth * channels)
    if window.isPointwise {  // pixels follow each other without gaps
      pixels.columns *= pixels.rows
      pixels.rows = 1
    }
    let image = chunk.images.lowerBound
    let a =
      outputGradient
      + ((image * window.outputHeight + rows.lowerBound) * window.outputWidth + columns.lowerBound) * outputs
      + group * geometry.outputsPerGroup
    let first = group * geometry.channelsPerGroup + channel
    let b = input + ((image * window.height + y) * window.width + x) * channels + first
    let n = min(kernels.f32_tile.columns, geometry.channelsPerGroup - channel)
    for output in stride(from: 0, to: geometry.outputsPerGroup, by: kernels.f32_tile.rows) {
      let row = group * geometry.outputsPerGroup + output
      kernels.f32_gemm_pixels(
        min(kernels.f32_tile.rows, geometry.outputsPerGroup - output), n, &pixels, a + output, b,
        weightGradient + row * geometry.depth + tap * geometry.channelsPerGroup + channel, geometry.depth)
    }
  }

  /// Those of the outputs whose window, at a kernel position `offset` from its beginning, sees a pixel within the
  /// image.
  private static func outputs(
    seeing offset: Int, _ stride: Int, _ extent: Int, _ outputs: Range<Int>
  ) -> Range<Int> {
    let first = max(outputs.lowerBound, offset < 0 ? ceilDivide(-offset, stride) : 0)
    let end = offset >= extent ? 0 : min(outputs.upperBound, (extent - 1 - offset) / stride + 1)
    return first..<max(first, end)
  }
}
