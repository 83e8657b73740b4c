import CKernels

/// A convolution as a product of the matrix of patches with packed weights, group by group. Patches are gathered
/// a tile of rows at a time; where windows are single pixels the image itself is that matrix.
struct PatchProduct: Sendable {
  let geometry: ConvolutionGeometry
  private let isa: InstructionSet
  private let precision: ProductPrecision

  init(_ geometry: ConvolutionGeometry, precision: ProductPrecision, isa: InstructionSet) {
    self.geometry = geometry
    self.precision = precision
    self.isa = isa
  }

  private var kernels: UnsafePointer<ck_kernels> { isa.kernels }
  private var isDirect: Bool { geometry.window.isPointwise }

  /// Of one group's weights: B is (depth, outputs).
  var layout: PanelLayout {
    PanelLayout(n: geometry.outputsPerGroup, k: geometry.depth, kernels.pointee.tile(of: precision))
  }

  private func tiling(_ batch: Int) -> RowTiling {
    RowTiling(
      rows: batch * geometry.window.outputPixels, depth: geometry.depth, columns: geometry.outputsPerGroup,
      rowBytes: geometry.depth * MemoryLayout<Float>.stride, tileRows: kernels.pointee.tile(of: precision).rows,
      panels: layout.panels, copiesRows: !isDirect || precision == .bfloat16)
  }

  private func patchBytes(_ tiling: RowTiling) -> Int {
    isDirect ? 0 : alignedBytes(tiling.mostRowsPerTile * geometry.depth * MemoryLayout<Float>.stride)
  }

  private func pairBytes(_ tiling: RowTiling) -> Int {
    precision == .float32 ? 0 : alignedBytes(tiling.mostRowsPerTile * layout.pairs * MemoryLayout<UInt32>.stride)
  }

  func scratchBytes(batch: Int, threads: Int) -> Int {
    let tiling = tiling(batch)
    return ScratchCursor.padded(threads * (patchBytes(tiling) + pairBytes(tiling)))
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
    let pairCount = pairBytes(tiling) / MemoryLayout<UInt32>.stride
    let pairs = cursor.take(pool.threads * pairCount, of: UInt32.self)
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
          start: start + group * layout.paddedColumns, pairs: pairs + worker * pairCount,
          c: output + rows.lowerBound * geometry.outputChannels + group * layout.n, ldc: geometry.outputChannels)
      }
    }
  }
}
