import CKernels
import Diagnostics

extension ConvolutionGradient {
  /// A dense layer's weight gradient is one matrix product, cut along its outputs rather than its batch.
  private var isDense: Bool { geometry.window.isPointwise && geometry.window.outputPixels == 1 && geometry.groups == 1 }

  private func denseProduct(_ batch: Int) -> MatrixProduct {
    MatrixProduct(
      m: geometry.outputChannels, n: geometry.depth, k: max(batch, 1), transposeA: true, isa: isa)
  }

  /// The chunks of the batch whose sums are formed apart: a matter of shapes only, never of threads.
  private func chunks(_ batch: Int) -> Int {
    let affordable = Self.partialBytes / (partialCount * 4)
    return max(1, min(batch, max(4, min(16, affordable))))
  }

  private static let partialBytes = 64 << 20
  private static let patchBytes = 256 << 10

  /// Elements of one chunk's sums: weights, then bias.
  private var partialCount: Int { roundUp(geometry.weightCount + geometry.outputChannels, to: 16) }
  private var patchStride: Int { roundUp(geometry.depth, to: isa.kernels.pointee.f32_tile.lanes) }
  private var patchRows: Int { max(32, Self.patchBytes / (patchStride * 4)) }

  /// With channels enough for the kernels' vectors, images are read where they lie.
  private var readsPixels: Bool { geometry.channelsPerGroup >= 16 && !geometry.isDepthwise }

  /// Scratch that `weightGradient` needs.
  public func weightGradientScratchBytes(batch: Int, threads: Int) -> Int {
    if precision == .bfloat16 {
      let bytes = pairsScratchBytes
      return ScratchCursor.padded(bytes.shared + threads * bytes.perThread)
    }
    if isDense { return denseProduct(batch).scratchBytes }
    if let tiles = WinogradTiles(geometry) { return winogradScratchBytes(tiles, batch: batch, threads: threads) }
    if readsPixels { return ScratchCursor.padded(alignedBytes(geometry.outputChannels * 4)) }
    let work =
      geometry.isDepthwise
      ? alignedBytes(DepthwiseTaps(geometry).scratchBytes(threads: 1))
      : alignedBytes(patchRows * patchStride * 4) + alignedBytes(roundUp(geometry.depth, to: 64) * 4)
    return ScratchCursor.padded(chunks(batch) * alignedBytes(partialCount * 4) + threads * work)
  }

  /// Overwrites `weightGradient` (OHWI) and `biasGradient` (o) from `input` (batch, h, w, c) and
  /// `outputGradient` (batch, oh, ow, o): sums over the whole batch.
  public func weightGradient(
    input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>, weightGradient: UnsafeMutablePointer<Float>,
    biasGradient: UnsafeMutablePointer<Float>?, batch: Int, scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool
  ) {
    guard batch > 0 else {
      weightGradient.update(repeating: 0, count: geometry.weightCount)
      biasGradient?.update(repeating: 0, count: geometry.outputChannels)
      return
    }
    if precision == .bfloat16 {
      var cursor = ScratchCursor(
        scratch, needed: weightGradientScratchBytes(batch: batch, threads: pool.threads))
      sumPairs(input, outputGradient, weightGradient, biasGradient, batch, &cursor, pool)
      return
    }
    if isDense {
      denseProduct(batch).run(a: outputGradient, b: input, c: weightGradient, scratch: scratch, pool: pool)
      guard let biasGradient else { return }
      biasGradient.update(repeating: 0, count: geometry.outputChannels)
      let outputs = geometry.outputChannels
      isa.kernels.pointee.f32_add_rows(batch, outputs, outputGradient, outputs, biasGradient)
      return
    }
    var cursor = ScratchCursor(
      scratch, needed: weightGradientScratchBytes(batch: batch, threads: pool.threads))
    if let tiles = WinogradTiles(geometry) {
      sumTiles(tiles, input, outputGradient, weightGradient, biasGradient, batch, &cursor, pool)
      return
    }
    if readsPixels {
      let sums = cursor.take(geometry.outputChannels, of: Float.self)
      sumPixels(input, outputGradient, weightGradient, biasGradient, batch, sums, pool)
      return
    }
    let chunks = chunks(batch)
    let partials = (0..<chunks).map { _ in cursor.take(partialCount, of: Float.self) }
    let perChunk = ceilDivide(batch, chunks)
    let images = { (chunk: Int) in min(chunk * perChunk, batch)..<min((chunk + 1) * perChunk, batch) }
    let cancellation = Cancellation.current  // a chunk may be many images
    if geometry.isDepthwise {
      let scratches = DepthwiseTaps(geometry).scratches(threads: pool.threads, &cursor)
      pool.parallelFor(chunks) { chunk, worker in
        sumDepthwise(
          input, outputGradient, images(chunk), into: partials[chunk], scratches[worker], cancellation)
      }
    } else {
      let patches = (0..<pool.threads).map { _ in cursor.take(patchRows * patchStride, of: Float.self) }
      let zeros = cursor.take(roundUp(geometry.depth, to: 64), of: Float.self)
      zeros.update(repeating: 0, count: roundUp(geometry.depth, to: 64))
      pool.parallelFor(chunks) { chunk, worker in
        sumPatches(
          input, outputGradient, images(chunk), into: partials[chunk], patches[worker], zeros, cancellation)
      }
    }
    addUp(partials, weightGradient, biasGradient, pool)
  }

  /// partial (o, depth) = sum over the images' output pixels of outputGradient^T patches; then the bias.
  private func sumPatches(
    _ input: UnsafePointer<Float>, _ outputGradient: UnsafePointer<Float>, _ images: Range<Int>,
    into partial: UnsafeMutablePointer<Float>, _ patches: UnsafeMutablePointer<Float>, _ zeros: UnsafePointer<Float>,
    _ cancellation: Cancellation?
  ) {
    partial.update(repeating: 0, count: partialCount)
    let kernels = isa.kernels.pointee
    let pixels = geometry.window.outputPixels, outputs = geometry.outputChannels, depth = geometry.depth
    let perGroup = geometry.channelsPerGroup, outputsPerGroup = geometry.outputsPerGroup
    var window = geometry.window.native
    let end = images.upperBound * pixels
    for first in stride(from: images.lowerBound * pixels, to: end, by: patchRows) {
      if cancellation?.isRequested == true { return }
      let rows = min(patchRows, end - first)
      let gradient = outputGradient + first * outputs
      kernels.f32_add_rows(rows, outputs, gradient, outputs, partial + geometry.weightCount)
      for group in 0..<geometry.groups {
        ck_f32_im2col(&window, input, group * perGroup, perGroup, first, rows, 0, patches, patchStride)
        for column in stride(from: 0, to: depth, by: kernels.f32_tile.columns) {
          for output in stride(from: 0, to: outputsPerGroup, by: kernels.f32_tile.rows) {
            let row = group * outputsPerGroup + output
            kernels.f32_gemm_columns(
              min(kernels.f32_tile.rows, outputsPerGroup - output), min(kernels.f32_tile.columns, depth - column), rows,
              gradient + row, outputs, patches + column, patchStride, nil, partial + row * depth + column, depth,
              -.infinity, .infinity)
          }
        }
      }
    }
  }

  /// partial (tap, channel) = sum over the images' output pixels; then the bias.
  private func sumDepthwise(
    _ input: UnsafePointer<Float>, _ outputGradient: UnsafePointer<Float>, _ images: Range<Int>,
    into partial: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutableRawBufferPointer, _ cancellation: Cancellation?
  ) {
    partial.update(repeating: 0, count: partialCount)
    let channels = geometry.outputChannels
    let source = outputGradient + images.lowerBound * geometry.outputCount
    DepthwiseTaps(geometry).forEachRun(
      input + images.lowerBound * geometry.inputCount, batch: images.count, scratch: scratch, pool: .serial
    ) { run in
      if cancellation?.isRequested == true { return }
      let gradient = source + run.output_pixel * channels
      isa.kernels.pointee.f32_add_rows(run.pixels, channels, gradient, channels, partial + geometry.weightCount)
      isa.kernels.pointee.f32_depthwise_gather(
        run.pixels, channels, geometry.depth, run.taps, run.step, gradient, channels, partial)
    }
  }

  /// Adds the chunks' sums in order into the first, and writes it out.
  private func addUp(
    _ partials: [UnsafeMutablePointer<Float>], _ weightGradient: UnsafeMutablePointer<Float>,
    _ biasGradient: UnsafeMutablePointer<Float>?, _ pool: ThreadPool
  ) {
    let piece = 1 << 14
    let kernel = isa.kernels.pointee.f32_add!
    let total = partials[0]
    pool.parallelFor(ceilDivide(partialCount, piece)) { index in
      let begin = index * piece
      let count = min(piece, partialCount - begin)
      for partial in partials.dropFirst() {
        kernel(count, total + begin, partial + begin, -.infinity, .infinity, total + begin)
      }
    }
    if geometry.isDepthwise {
      let channels = geometry.outputChannels
      ck_f32_pack(geometry.depth, geometry.depth, channels, total, channels, 1, weightGradient)
    } else {
      weightGradient.update(from: total, count: geometry.weightCount)
    }
    biasGradient?.update(from: total + geometry.weightCount, count: geometry.outputChannels)
  }
}
