import CKernels

/// How a descriptor keeps its weights.
public enum WeightStorage: Sendable {
  case float32
  /// Half precision, rounded to nearest even when packed and widened inside the kernels: the results are those
  /// of float32 with the rounded weights.
  case float16
}

/// A float32 convolution or dense layer with its packed weights, bias and fused activation.
///
/// Images are NHWC, weights OHWI. Each output is one chain of fused multiply-adds over kernel row, kernel
/// column and input channel, from the bias, then the clamp: the same bits for any number of threads and any
/// instruction set. With bfloat16 factors the chain goes by pairs (see ck-bf16.h).
///
/// `@unchecked Sendable`: `run` only reads the descriptor; `update` must not run at the same time.
public final class FloatConvolution: @unchecked Sendable {
  public let geometry: ConvolutionGeometry
  public let storage: WeightStorage
  private let precision: ProductPrecision
  private let isa: InstructionSet
  private let clamp: ClosedRange<Float>
  private let kernels: UnsafePointer<ck_kernels>
  private let product: PatchProduct
  private var layout: PanelLayout { product.layout }
  private let packed: OwnedMemory
  private let bias: OwnedMemory

  /// - Parameters:
  ///   - clamp: bounds of the output; `0 ... .infinity` is ReLU.
  ///   - precision: of the factors; bfloat16 leaves `storage` no choice.
  /// - Precondition: as many weights as the geometry says, and one bias for each output channel; the instruction set
  ///   has what `precision` needs.
  public init(
    _ geometry: ConvolutionGeometry, weights: UnsafeBufferPointer<Float>, bias: UnsafeBufferPointer<Float>?,
    clamp: ClosedRange<Float> = -.infinity ... .infinity, storage: WeightStorage = .float32,
    precision: ProductPrecision = .float32, isa: InstructionSet = .current
  ) {
    self.geometry = geometry
    self.storage = storage
    self.clamp = clamp
    self.isa = isa
    self.precision = geometry.precision(precision)
    kernels = isa.kernels
    product = PatchProduct(geometry, precision: self.precision, isa: isa)
    let layout = product.layout
    if geometry.isDepthwise {
      packed = OwnedMemory(byteCount: geometry.weightCount * MemoryLayout<Float>.stride)
      self.bias = OwnedMemory(byteCount: geometry.outputChannels * MemoryLayout<Float>.stride)
    } else {
      let bytes =
        switch (self.precision, storage) {
        case (.bfloat16, _): layout.pairCount * MemoryLayout<UInt32>.stride
        case (.float32, .float16): layout.count * MemoryLayout<UInt16>.stride
        case (.float32, .float32): layout.count * MemoryLayout<Float>.stride
        }
      packed = OwnedMemory(byteCount: geometry.groups * bytes)
      self.bias = OwnedMemory(byteCount: geometry.groups * layout.paddedColumns * MemoryLayout<Float>.stride)
    }
    update(weights: weights, bias: bias)
  }

  /// Packs other weights of the same geometry; a nil bias is zero.
  public func update(
    weights: UnsafeBufferPointer<Float>, bias: UnsafeBufferPointer<Float>?, pool: ThreadPool = .serial
  ) {
    precondition(weights.count == geometry.weightCount, "\(weights.count) weights for \(geometry.weightCount)")
    precondition(bias == nil || bias!.count == geometry.outputChannels)
    let source = weights.baseAddress!
    if geometry.isDepthwise {
      packDepthwise(source)
    } else {
      let layout = layout, panels = layout.panels
      pool.parallelFor(geometry.groups * panels) { index in
        let group = index / panels
        let from = source + group * layout.n * layout.k
        switch (precision, storage) {
        case (.bfloat16, _):
          layout.packPairs(
            from, columnStep: layout.k, rowStep: 1, into: packed.pointer(UInt32.self) + group * layout.pairCount,
            panel: index % panels)
        case (.float32, .float32):
          layout.pack(
            from, columnStep: layout.k, rowStep: 1, into: packed.pointer(Float.self) + group * layout.count,
            panel: index % panels)
        case (.float32, .float16):
          layout.packHalf(
            from, columnStep: layout.k, rowStep: 1, into: packed.pointer(UInt16.self) + group * layout.count,
            panel: index % panels)
        }
      }
    }
    let step = geometry.isDepthwise ? 1 : layout.paddedColumns
    for channel in 0..<geometry.outputChannels {
      let (group, column) = channel.quotientAndRemainder(dividingBy: geometry.outputsPerGroup)
      self.bias.pointer(Float.self)[group * step + column] = bias?[channel] ?? 0
    }
  }

  /// Depthwise weights go from (channel, tap) to (tap, channel); halves are rounded here and kept as floats.
  private func packDepthwise(_ source: UnsafePointer<Float>) {
    let out = packed.pointer(Float.self)
    let channels = geometry.outputChannels
    ck_f32_pack(channels, channels, geometry.depth, source, geometry.depth, 1, out)
    if storage == .float16 {
      for i in 0..<geometry.weightCount {
        var half: UInt16 = 0
        kernels.pointee.f32_to_half(1, out + i, &half)
        kernels.pointee.half_to_f32(1, &half, out + i)
      }
    }
  }

  /// Bytes the packed weights and bias take.
  public var packedBytes: Int { packed.byteCount + bias.byteCount }

  /// Scratch that `run` needs for up to that many images on that many threads.
  public func scratchBytes(batch: Int, threads: Int) -> Int {
    if geometry.isDepthwise { return DepthwiseTaps(geometry, element: 4).scratchBytes(threads: threads) }
    return product.scratchBytes(batch: batch, threads: threads)
  }

  /// Convolves `batch` images; input and output must not overlap.
  ///
  /// - Precondition: the scratch has at least `scratchBytes(batch:threads:)` bytes.
  public func run(
    input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, batch: Int,
    scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool
  ) {
    guard batch > 0 else { return }
    if geometry.isDepthwise {
      runDepthwise(input: input, output: output, batch: batch, scratch: scratch, pool: pool)
    } else {
      let count = layout.count, pairCount = layout.pairCount
      product.run(
        input: input,
        weights: { group in
          switch (precision, storage) {
          case (.bfloat16, _): .bfloat16(packed.pointer(UInt32.self) + group * pairCount)
          case (.float32, .float32): .float32(packed.pointer(Float.self) + group * count)
          case (.float32, .float16): .float16(packed.pointer(UInt16.self) + group * count)
          }
        }, start: bias.pointer(Float.self), clamp: clamp, output: output, batch: batch, scratch: scratch, pool: pool)
    }
  }

  private func runDepthwise(
    input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, batch: Int,
    scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool
  ) {
    let taps = DepthwiseTaps(geometry, element: 4)
    let channels = geometry.outputChannels
    taps.forEachRun(input, batch: batch, padByte: { _ in 0 }, scratch: scratch, pool: pool) { run in
      kernels.pointee.f32_depthwise(
        run.pixels, channels, geometry.depth, run.taps, run.step, packed.pointer(Float.self),
        bias.pointer(Float.self), output + run.outputPixel * channels, channels, clamp.lowerBound, clamp.upperBound)
    }
  }
}
