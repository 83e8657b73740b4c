import CKernels

extension ConvolutionGradient {
  /// What a chunk's transformed tiles may take: the sums go through the caches once for each chunk.
  private static let tileBytes = 4 << 20

  /// Whole images: a matter of shapes only.
  private func imagesPerChunk(_ tiles: WinogradTiles, _ batch: Int) -> Int {
    let image = WinogradTiles.places * tiles.perImage * (geometry.window.channels + geometry.outputChannels) * 4
    return max(1, min(batch, max(Self.tileBytes, WinogradTiles.places * geometry.weightCount / 9 * 4) / image))
  }

  func winogradScratchBytes(_ tiles: WinogradTiles, batch: Int, threads: Int) -> Int {
    let chunk = WinogradTiles.places * imagesPerChunk(tiles, batch) * tiles.perImage
    let lanes = isa.kernels.pointee.f32_tile.lanes
    return ScratchCursor.padded(
      alignedBytes((chunk * geometry.window.channels + lanes) * 4) + alignedBytes(chunk * geometry.outputChannels * 4)
        + alignedBytes(WinogradTiles.places * geometry.weightCount / 9 * 4)
        + alignedBytes(max(geometry.window.channels, geometry.outputChannels) * 4)
        + alignedBytes(geometry.outputChannels * 4) + threads * alignedBytes(WinogradPointers.bytes))
  }

  /// The weight gradient, by the transpose of what `WinogradConvolution` does: products of transformed tiles of the
  /// input and of the output's gradient, summed over tiles, and the sums transformed at the end. Each sum is formed
  /// over a chunk's tiles in order, then over the chunks.
  func sumTiles(
    _ tiles: WinogradTiles, _ input: UnsafePointer<Float>, _ outputGradient: UnsafePointer<Float>,
    _ weightGradient: UnsafeMutablePointer<Float>, _ biasGradient: UnsafeMutablePointer<Float>?, _ batch: Int,
    _ cursor: inout ScratchCursor, _ pool: ThreadPool
  ) {
    let kernels = isa.kernels.pointee, places = WinogradTiles.places
    let inputs = geometry.window.channels, outputs = geometry.outputChannels
    let perChunk = imagesPerChunk(tiles, batch), chunk = perChunk * tiles.perImage
    let seen = cursor.take(places * chunk * inputs + kernels.f32_tile.lanes, of: Float.self)
    let spread = cursor.take(places * chunk * outputs, of: Float.self)
    let sums = cursor.take(places * outputs * inputs, of: Float.self)
    let zeros = cursor.take(max(inputs, outputs), of: Float.self)
    let biasSums = cursor.take(outputs, of: Float.self)
    let pointers = (0..<pool.threads).map { _ in WinogradPointers(&cursor) }
    zeros.update(repeating: 0, count: max(inputs, outputs))
    pool.parallelFor(places) { (sums + $0 * outputs * inputs).update(repeating: 0, count: outputs * inputs) }
    biasGradient?.update(repeating: 0, count: outputs)

    let blocks = ceilDivide(inputs, kernels.f32_tile.columns)
    for first in stride(from: 0, to: batch, by: perChunk) {
      let begin = first * tiles.perImage, count = min(perChunk, batch - first) * tiles.perImage
      let piece = 16
      pool.parallelFor(ceilDivide(count, piece)) { index, worker in
        let pointers = pointers[worker]
        for tile in index * piece..<min(count, (index + 1) * piece) {
          tiles.see(begin + tile, of: input, zeros: zeros, pointers.from)
          pointers.write(seen + tile * inputs, step: chunk * inputs)
          kernels.f32_winograd_tile(inputs, pointers.from, pointers.to)
          tiles.forEachOutput(begin + tile) {
            pointers.from[$0] = $1.map { outputGradient + $0 * outputs } ?? UnsafePointer(zeros)
          }
          pointers.write(spread + tile * outputs, step: chunk * outputs)
          kernels.f32_winograd_spread(outputs, pointers.from, pointers.to)
        }
      }
      var rows = ck_pixels(
        images: 1, rows: 1, columns: count, a_image: 0, a_row: 0, a_column: outputs, b_image: 0, b_row: 0,
        b_column: inputs)
      pool.parallelFor(places * blocks + (biasGradient == nil ? 0 : 1)) { index in
        guard index < places * blocks else {
          let pixels = min(perChunk, batch - first) * geometry.window.outputPixels
          sumRows(outputGradient + first * geometry.outputCount, pixels, biasGradient!, biasSums)
          return
        }
        let (place, block) = index.quotientAndRemainder(dividingBy: blocks)
        let channel = block * kernels.f32_tile.columns
        for output in stride(from: 0, to: outputs, by: kernels.f32_tile.rows) {
          kernels.f32_gemm_pixels(
            min(kernels.f32_tile.rows, outputs - output), min(kernels.f32_tile.columns, inputs - channel), &rows,
            spread + place * chunk * outputs + output, seen + place * chunk * inputs + channel,
            sums + (place * outputs + output) * inputs + channel, inputs)
        }
      }
    }
    pool.parallelFor(outputs) { output, worker in
      let pointers = pointers[worker]
      pointers.read(sums + output * inputs, step: outputs * inputs)
      for tap in 0..<9 { pointers.to[tap] = weightGradient + output * geometry.depth + tap * inputs }
      kernels.f32_winograd_collect(inputs, pointers.from, pointers.to)
    }
  }
}
