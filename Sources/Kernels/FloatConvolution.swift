import CKernels

/// How a descriptor keeps its weights.
public enum WeightStorage: Sendable {
  case float32
  /// Half precision, rounded to nearest even when packed and widened inside the kernels: the results are those
  /// of float32 with the rounded weights.
  case float16

  /// With factors of that precision, of which bfloat16 leaves no choice.
  func native(_ precision: ProductPrecision) -> ck_storage {
    switch (precision, self) {
    case (.bfloat16, _): ck_as_bfloat16
    case (.float32, .float32): ck_as_float32
    case (.float32, .float16): ck_as_float16
    }
  }
}

/// A float32 convolution or dense layer with its packed weights, bias and fused activation.
///
/// Images are NHWC, weights OHWI. By the direct algorithms each output is one chain of fused multiply-adds over kernel
/// row, kernel column and input channel, from the bias, then the clamp: the same bits for any number of threads and any
/// instruction set, and so are those of Winograd's method (see steps/f32-winograd.h). With bfloat16 factors the chain
/// goes by pairs (see ck-bf16.h). Sparse weights are packed without their zeros, which take no part in the sums.
///
/// `@unchecked Sendable`: `run` only reads the descriptor; `update` must not run at the same time.
public final class FloatConvolution: @unchecked Sendable {
  public let geometry: ConvolutionGeometry
  public let storage: WeightStorage
  private let precision: ProductPrecision
  private let isa: InstructionSet
  private let algorithm: ConvolutionAlgorithm
  private let product: PatchProduct
  /// Of Winograd's method alone.
  private let winograd: WinogradProduct?
  /// Of sparse weights alone.
  private let sparse: SparseWeights?
  private var layout: PanelLayout { product.layout }
  /// The weights, and from `bias` on the bias of each output channel, padded as the panels are.
  private let constants: OwnedMemory
  /// What a plan holds of it, and what `run` runs; its constants are packed anew by `update`.
  public let step: PreparedStep
  private let groupBytes: Int
  private let bias, zeros: Int

  /// - Parameters:
  ///   - clamp: bounds of the output; `0 ... .infinity` is ReLU.
  ///   - precision: of the factors; bfloat16 leaves `storage` no choice.
  ///   - algorithm: one that computes such a convolution, Winograd's in float32 throughout; nil for the direct one.
  ///   - limits: how the work is cut into pieces.
  /// - Precondition: as many weights as the geometry says, and one bias for each output channel; the instruction set
  ///   has what `precision` needs.
  public init(
    _ geometry: ConvolutionGeometry, weights: UnsafeBufferPointer<Float>, bias: UnsafeBufferPointer<Float>?,
    clamp: ClosedRange<Float> = -.infinity ... .infinity, storage: WeightStorage = .float32,
    precision: ProductPrecision = .float32, algorithm: ConvolutionAlgorithm? = nil, limits: CutLimits = .standard,
    isa: InstructionSet = .current, pool: ThreadPool = .serial
  ) {
    self.geometry = geometry
    self.storage = storage
    self.isa = isa
    self.precision = geometry.precision(precision)
    self.algorithm = algorithm ?? .standard(geometry)
    precondition(
      self.algorithm.computes(geometry)
        && (self.algorithm.isDirect || (storage == .float32 && self.precision == .float32)),
      "\(self.algorithm) does not compute this convolution")
    precondition(weights.count == geometry.weightCount, "\(weights.count) weights for \(geometry.weightCount)")
    product = PatchProduct(geometry, precision: self.precision, limits: limits, isa: isa)
    let layout = product.layout
    groupBytes = layout.bytes(storage.native(self.precision))
    winograd = self.algorithm.winogradSide.map { WinogradProduct(geometry, side: $0, limits: limits, isa: isa) }
    var places = ConstantLayout()
    let isByTaps = self.algorithm == .taps
    sparse =
      self.algorithm == .sparse
      ? SparseWeights(
        WordMatrix(weights, outputs: geometry.outputChannels), outputPixels: geometry.window.outputPixels, in: &places)
      : nil
    if let sparse {
      self.bias = places.add(bytes: geometry.outputChannels * 4)
      zeros = places.add(bytes: geometry.window.channels * 4)
      constants = OwnedMemory(byteCount: places.byteCount)
      let native = ck_f32_sparse(
        geometry: geometry.native, weights: sparse.native, lo: clamp.lowerBound, hi: clamp.upperBound, bias: self.bias,
        padding: zeros)
      step = PreparedStep(
        "f32_sparse", native, constants: constants, run: ck_run_f32_sparse, scratch: ck_scratch_f32_sparse)
      sparse.pack(into: constants)
      store(bias: bias)
      return
    }
    _ = places.add(
      bytes: winograd?.panelBytes ?? (isByTaps ? geometry.weightCount * 4 : geometry.groups * groupBytes))
    self.bias = places.add(
      bytes: (isByTaps ? geometry.outputChannels : geometry.groups * layout.paddedColumns) * 4)
    zeros = places.add(bytes: (winograd?.zeros ?? 0) * 4)
    constants = OwnedMemory(byteCount: places.byteCount)
    if let winograd {
      step = PreparedStep(
        "f32_winograd", winograd.step(clamp: clamp, bias: self.bias, zeros: zeros), constants: constants,
        run: ck_run_f32_winograd, scratch: ck_scratch_f32_winograd)
    } else if isByTaps {
      let taps = ck_f32_taps(
        window: geometry.window.native, lo: clamp.lowerBound, hi: clamp.upperBound, bias: self.bias)
      step = PreparedStep("f32_taps", taps, constants: constants, run: ck_run_f32_taps, scratch: ck_scratch_f32_taps)
    } else {
      let patches = product.step(storage: storage, clamp: clamp, groupBytes: groupBytes, start: self.bias)
      step = PreparedStep(
        "f32_patches", patches, constants: constants, run: ck_run_f32_patches, scratch: ck_scratch_f32_patches)
    }
    update(weights: weights, bias: bias, pool: pool)
  }

  /// Packs other weights of the same geometry; a nil bias is zero.
  ///
  /// - Precondition: the algorithm is not `sparse`, which packs weights once.
  public func update(
    weights: UnsafeBufferPointer<Float>, bias: UnsafeBufferPointer<Float>?, pool: ThreadPool = .serial
  ) {
    precondition(weights.count == geometry.weightCount, "\(weights.count) weights for \(geometry.weightCount)")
    precondition(sparse == nil, "sparse weights are packed once")
    let source = weights.baseAddress!
    if let winograd {
      winograd.pack(source, into: constants.pointer(), pool: pool)
    } else if isByTaps {
      packDepthwise(source)
    } else {
      let layout = layout, panels = layout.panels
      pool.parallelFor(geometry.groups * panels) { index in
        let group = index / panels, panel = index % panels
        let from = source + group * layout.n * layout.k
        let to = constants.base + group * groupBytes
        switch (precision, storage) {
        case (.bfloat16, _):
          layout.packPairs(
            from, columnStep: layout.k, rowStep: 1, into: to.assumingMemoryBound(to: UInt32.self), panel: panel)
        case (.float32, .float32):
          layout.pack(
            from, columnStep: layout.k, rowStep: 1, into: to.assumingMemoryBound(to: Float.self), panel: panel)
        case (.float32, .float16):
          layout.packHalf(
            from, columnStep: layout.k, rowStep: 1, into: to.assumingMemoryBound(to: UInt16.self), panel: panel)
        }
      }
    }
    store(bias: bias)
  }

  private func store(bias: UnsafeBufferPointer<Float>?) {
    precondition(bias == nil || bias!.count == geometry.outputChannels)
    let step = isByTaps || sparse != nil ? 1 : layout.paddedColumns
    let target = (constants.base + self.bias).assumingMemoryBound(to: Float.self)
    for channel in 0..<geometry.outputChannels {
      let (group, column) = channel.quotientAndRemainder(dividingBy: geometry.outputsPerGroup)
      target[group * step + column] = bias?[channel] ?? 0
    }
  }

  /// Depthwise weights go from (channel, tap) to (tap, channel); halves are rounded here and kept as floats.
  private func packDepthwise(_ source: UnsafePointer<Float>) {
    let out = constants.pointer(Float.self)
    let channels = geometry.outputChannels
    ck_f32_pack(channels, channels, geometry.depth, source, geometry.depth, 1, out)
    if storage == .float16 {
      for i in 0..<geometry.weightCount {
        var half: UInt16 = 0
        isa.kernels.pointee.f32_to_half(1, out + i, &half)
        isa.kernels.pointee.half_to_f32(1, &half, out + i)
      }
    }
  }

  private var isByTaps: Bool { algorithm == .taps }

  /// Bytes the packed weights and bias take.
  public var packedBytes: Int { constants.byteCount }

  /// Scratch that `run` needs for up to that many images on that many threads.
  public func scratchBytes(batch: Int, threads: Int) -> Int { step.scratchBytes(batch: batch, threads: threads) }

  /// Convolves `batch` images; input and output must not overlap.
  ///
  /// - Precondition: the scratch has at least `scratchBytes(batch:threads:)` bytes.
  public func run(
    input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, batch: Int,
    scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool
  ) {
    precondition(scratch.count >= step.scratchBytes(batch: batch, threads: pool.threads), "too little scratch")
    pool.run(
      step, on: isa.kernels, [input], to: [output], constants: constants.base, scratch: scratch.baseAddress,
      batch: batch)
  }
}
