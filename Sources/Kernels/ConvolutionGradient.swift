import CKernels

/// The gradients of a float32 convolution or dense layer with respect to its input, weights and bias.
///
/// The results are the same for any number of threads and any instruction set: the input gradient is computed
/// image by image, the weight gradient over fixed chunks of the batch whose sums are added in order.
public struct ConvolutionGradient: Sendable {
  public let geometry: ConvolutionGeometry
  let isa: InstructionSet

  public init(_ geometry: ConvolutionGeometry, isa: InstructionSet = .current) {
    self.geometry = geometry
    self.isa = isa
  }

  /// The input's gradient is a product with the weights, output pixel by output pixel, whose rows are patches
  /// that overlap and add up in the image. Its B is the weights of a group, (outputs, depth).
  private var layout: PanelLayout { PanelLayout(n: geometry.depth, k: geometry.outputsPerGroup, isa.kernels) }

  private static let patchTileBytes = 128 << 10

  private var patchRows: Int {
    let tileRows = isa.kernels.pointee.f32_rows
    let fitting = max(Self.patchTileBytes / (geometry.depth * 4) / tileRows, 2) * tileRows
    return min(fitting, geometry.window.outputPixels)
  }

  /// Scratch that `inputGradient` needs.
  public func inputGradientScratchBytes(batch: Int, threads: Int) -> Int {
    if geometry.isDepthwise {
      let taps = DepthwiseTaps(geometry, element: 4).scratchBytes(threads: 1)
      return ScratchCursor.padded(alignedBytes(geometry.weightCount * 4) + threads * alignedBytes(taps))
    }
    let layout = layout
    let patches = geometry.window.isPointwise ? 0 : threads * alignedBytes(patchRows * geometry.depth * 4)
    return ScratchCursor.padded(
      geometry.groups * alignedBytes(layout.count * 4) + alignedBytes(layout.paddedColumns * 4) + patches)
  }

  /// Overwrites `inputGradient` (batch, h, w, c) from `outputGradient` (batch, oh, ow, o) and the weights (OHWI).
  public func inputGradient(
    outputGradient: UnsafePointer<Float>, weights: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>,
    batch: Int, scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool
  ) {
    guard batch > 0 else { return }
    var cursor = ScratchCursor(
      scratch, needed: inputGradientScratchBytes(batch: batch, threads: pool.threads))
    if geometry.isDepthwise {
      depthwiseInputGradient(outputGradient, weights, inputGradient, batch, &cursor, pool)
      return
    }
    let layout = layout
    let packed = (0..<geometry.groups).map { _ in cursor.take(layout.count, of: Float.self) }
    let zeros = cursor.take(layout.paddedColumns, of: Float.self)
    zeros.update(repeating: 0, count: layout.paddedColumns)
    pool.parallelFor(geometry.groups * layout.panels) { index in
      let (group, panel) = index.quotientAndRemainder(dividingBy: layout.panels)
      layout.pack(
        weights + group * layout.k * layout.n, columnStep: 1, rowStep: layout.n, into: packed[group], panel: panel)
    }
    let loop = FloatTileLoop(kernels: isa.kernels, layout: layout, low: -.infinity, high: .infinity)
    if geometry.window.isPointwise {
      pointwiseInputGradient(outputGradient, loop, packed, zeros, inputGradient, batch, pool)
    } else {
      patchInputGradient(outputGradient, loop, packed, zeros, inputGradient, batch, &cursor, pool)
    }
  }

  private func pointwiseInputGradient(
    _ outputGradient: UnsafePointer<Float>, _ loop: FloatTileLoop, _ packed: [UnsafeMutablePointer<Float>],
    _ zeros: UnsafePointer<Float>, _ inputGradient: UnsafeMutablePointer<Float>, _ batch: Int, _ pool: ThreadPool
  ) {
    let outputs = geometry.outputChannels, channels = geometry.window.channels
    let tiling = RowTiling(
      rows: batch * geometry.window.outputPixels, depth: geometry.outputsPerGroup, columns: geometry.depth,
      rowBytes: geometry.outputsPerGroup * 4, tileRows: isa.kernels.pointee.f32_rows, panels: loop.layout.panels,
      copiesRows: false)
    pool.parallelFor(geometry.groups * tiling.count) { index in
      let group = index / tiling.count
      let (rows, panels) = tiling.piece(index % tiling.count)
      loop.run(
        rows: rows.count, a: outputGradient + rows.lowerBound * outputs + group * geometry.outputsPerGroup,
        lda: outputs, weights: .float32(packed[group]), panels: panels, start: zeros,
        c: inputGradient + rows.lowerBound * channels + group * geometry.channelsPerGroup, ldc: channels)
    }
  }

  private func patchInputGradient(
    _ outputGradient: UnsafePointer<Float>, _ loop: FloatTileLoop, _ packed: [UnsafeMutablePointer<Float>],
    _ zeros: UnsafePointer<Float>, _ inputGradient: UnsafeMutablePointer<Float>, _ batch: Int,
    _ cursor: inout ScratchCursor, _ pool: ThreadPool
  ) {
    let patchCount = alignedBytes(patchRows * geometry.depth * 4) / 4
    let patches = cursor.take(pool.threads * patchCount, of: Float.self)
    let outputs = geometry.outputChannels, pixels = geometry.window.outputPixels
    let rowsPerTile = patchRows, perGroup = geometry.channelsPerGroup
    var window = geometry.window.native
    withUnsafePointer(to: &window) { window in
      pool.parallelFor(batch) { image, worker in
        let patch = patches + worker * patchCount
        let target = inputGradient + image * geometry.inputCount
        target.update(repeating: 0, count: geometry.inputCount)
        for group in 0..<geometry.groups {
          for row in stride(from: 0, to: pixels, by: rowsPerTile) {
            let rows = min(rowsPerTile, pixels - row)
            loop.run(
              rows: rows, a: outputGradient + (image * pixels + row) * outputs + group * geometry.outputsPerGroup,
              lda: outputs, weights: .float32(packed[group]), panels: 0..<loop.layout.panels, start: zeros, c: patch,
              ldc: geometry.depth)
            ck_f32_col2im_add(window, patch, geometry.depth, group * perGroup, perGroup, row, rows, target)
          }
        }
      }
    }
  }

  private func depthwiseInputGradient(
    _ outputGradient: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
    _ inputGradient: UnsafeMutablePointer<Float>, _ batch: Int, _ cursor: inout ScratchCursor, _ pool: ThreadPool
  ) {
    let channels = geometry.outputChannels
    let byTap = cursor.take(geometry.weightCount, of: Float.self)
    ck_f32_pack(channels, channels, geometry.depth, weights, geometry.depth, 1, byTap)
    let taps = DepthwiseTaps(geometry, element: 4)
    let scratches = taps.scratches(threads: pool.threads, &cursor)
    pool.parallelFor(batch) { image, worker in
      let target = inputGradient + image * geometry.inputCount
      target.update(repeating: 0, count: geometry.inputCount)
      let source = outputGradient + image * geometry.outputCount
      taps.forEachRun(target, batch: 1, padByte: { _ in 0 }, scratch: scratches[worker], pool: .serial) { run in
        run.taps.withMemoryRebound(to: UnsafeMutableRawPointer?.self, capacity: geometry.depth) {
          isa.kernels.pointee.f32_depthwise_spread(
            run.pixels, channels, geometry.depth, $0, run.step, byTap, source + run.outputPixel * channels, channels)
        }
      }
    }
  }
}
