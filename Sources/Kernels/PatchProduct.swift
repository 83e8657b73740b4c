import CKernels

/// A convolution as a product of the matrix of patches with packed weights, group by group. Patches are gathered
/// a tile of rows at a time; where windows are single pixels the image itself is that matrix.
struct PatchProduct: Sendable {
  let geometry: ConvolutionGeometry
  private let isa: InstructionSet

  init(_ geometry: ConvolutionGeometry, isa: InstructionSet) {
    self.geometry = geometry
    self.isa = isa
  }

  private var kernels: UnsafePointer<ck_kernels> { isa.kernels }
  private var isDirect: Bool { geometry.window.isPointwise }

  /// Of one group's weights: B is (depth, outputs).
  var layout: PanelLayout { PanelLayout(n: geometry.outputsPerGroup, k: geometry.depth, kernels) }

  private func tiling(_ batch: Int) -> RowTiling {
    RowTiling(
      rows: batch * geometry.window.outputPixels, depth: geometry.depth, columns: geometry.outputsPerGroup,
      rowBytes: geometry.depth * MemoryLayout<Float>.stride, tileRows: kernels.pointee.f32_rows,
      panels: layout.panels, copiesRows: !isDirect)
  }

  private func patchBytes(_ tiling: RowTiling) -> Int {
    alignedBytes(tiling.mostRowsPerTile * geometry.depth * MemoryLayout<Float>.stride)
  }

  func scratchBytes(batch: Int, threads: Int) -> Int {
    isDirect ? 0 : ScratchCursor.padded(threads * patchBytes(tiling(batch)))
  }

  /// - Parameters:
  ///   - weights: of a group.
  ///   - start: where sums begin: `layout.paddedColumns` values for each group.
  func run(
    input: UnsafePointer<Float>, weights: (_ group: Int) -> PackedWeights, start: UnsafePointer<Float>,
    clamp: ClosedRange<Float>, output: UnsafeMutablePointer<Float>, batch: Int,
    scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool
  ) {
    let tiling = tiling(batch), layout = layout
    var cursor = ScratchCursor(scratch, needed: scratchBytes(batch: batch, threads: pool.threads))
    let patchCount = patchBytes(tiling) / MemoryLayout<Float>.stride
    let patches = isDirect ? nil : cursor.take(pool.threads * patchCount, of: Float.self)
    var window = geometry.window.native
    let loop = FloatTileLoop(kernels: kernels, layout: layout, low: clamp.lowerBound, high: clamp.upperBound)
    let channels = geometry.window.channels
    let perGroup = geometry.channelsPerGroup
    withUnsafePointer(to: &window) { window in
      pool.forWork(geometry.groups * tiling.work).parallelFor(geometry.groups * tiling.count) { index, worker in
        let group = index / tiling.count
        let (rows, panels) = tiling.piece(index % tiling.count)
        let a: UnsafePointer<Float>
        if let patches {
          let patch = patches + worker * patchCount
          ck_f32_im2col(
            window, input, group * perGroup, perGroup, rows.lowerBound, rows.count, 0, patch, layout.k)
          a = UnsafePointer(patch)
        } else {
          a = input + rows.lowerBound * channels + group * perGroup
        }
        loop.run(
          rows: rows.count, a: a, lda: isDirect ? channels : layout.k, weights: weights(group), panels: panels,
          start: start + group * layout.paddedColumns,
          c: output + rows.lowerBound * geometry.outputChannels + group * layout.n, ldc: geometry.outputChannels)
      }
    }
  }
}
