import CKernels

/// A convolution as a product of the matrix of patches with packed weights, group by group (see steps/f32-patches.h).
struct PatchProduct: Sendable {
  let geometry: ConvolutionGeometry
  private let isa: InstructionSet
  private let precision: ProductPrecision
  private let limits: CutLimits

  init(
    _ geometry: ConvolutionGeometry, precision: ProductPrecision, limits: CutLimits = .standard, isa: InstructionSet
  ) {
    self.geometry = geometry
    self.precision = precision
    self.limits = limits
    self.isa = isa
  }

  private var tile: ck_tile { isa.kernels.pointee.tile(of: precision) }

  /// Of one group's weights: B is (depth, outputs).
  var layout: PanelLayout { PanelLayout(n: geometry.outputsPerGroup, k: geometry.depth, tile) }

  /// The step over constants that begin with the panels, `groupBytes` for each group, and have `layout.paddedColumns`
  /// values for each group, where its sums begin, at the byte `start`.
  func step(
    storage: WeightStorage = .float32, clamp: ClosedRange<Float> = -.infinity ... .infinity, groupBytes: Int,
    start: Int
  ) -> ck_f32_patches {
    ck_f32_patches(
      geometry: geometry.native, tile: tile, storage: storage.native(precision), lo: clamp.lowerBound,
      hi: clamp.upperBound, limits: limits.native, group_bytes: groupBytes, bias: start)
  }

  func scratchBytes(batch: Int, threads: Int) -> Int {
    withUnsafePointer(to: step(groupBytes: 0, start: 0)) { ck_scratch_f32_patches($0, batch, threads) }
  }

  func run(
    _ step: ck_f32_patches, input: UnsafePointer<Float>, constants: UnsafeRawPointer,
    output: UnsafeMutablePointer<Float>, batch: Int, scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool
  ) {
    precondition(scratch.count >= scratchBytes(batch: batch, threads: pool.threads), "too little scratch")
    pool.run(
      step, ck_run_f32_patches, on: isa.kernels, input, to: output, constants: constants,
      scratch: scratch.baseAddress, batch: batch)
  }
}

extension ConvolutionGeometry {
  var native: ck_geometry { ck_geometry(window: window.native, outputs: outputChannels, groups: groups) }
}
