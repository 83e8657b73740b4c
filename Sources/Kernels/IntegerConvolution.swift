import CKernels
import Diagnostics

/// A convolution or dense layer of unsigned 8-bit activations with signed 8-bit weights.
///
/// Images are NHWC, weights OHWI, with zero points of their own where they are given some. Products are summed exactly
/// in 32 bits; see `IntegerOutput` for what follows. Outside the image lies the input's zero point. The same bits for
/// any number of threads and any instruction set.
///
/// `@unchecked Sendable`: immutable after `init`.
public final class IntegerConvolution: @unchecked Sendable {
  public let geometry: ConvolutionGeometry
  private let isa: InstructionSet
  private let output: ck_integer_output
  private let constants: OwnedMemory
  private let groupBytes: Int
  /// That the weights are packed for, and where the lists of quads lie, if they are in quads.
  private let tile: ck_tile
  private let firstQuads: Int, quadPlaces: Int
  private let isInQuads: Bool
  private let algorithm: ConvolutionAlgorithm
  private let limits: CutLimits
  /// Of sparse weights alone, and where a pixel of the input's zero point lies.
  private let sparse: SparseWeights?
  private let padding: Int

  /// - Parameters:
  ///   - zeroPoints: of the weights: one for each output channel, or one for all; nil for none.
  ///   - algorithm: one that computes such a convolution; nil for the standard one. With sparse weights, codes alone are
  ///     yielded, of weights without zero points and input channels in fours.
  ///   - limits: how the work is cut into pieces.
  /// - Precondition: as many weights as the geometry says, and a scale and bias for each output channel.
  /// - Throws: `CompressError` when sums could leave 32 bits, or a scale is not finite.
  public init(
    _ geometry: ConvolutionGeometry, weights: UnsafeBufferPointer<Int8>, zeroPoints: [Int8]? = nil,
    output: IntegerOutput, algorithm: ConvolutionAlgorithm? = nil, limits: CutLimits = .standard,
    isa: InstructionSet = .current
  ) throws {
    let channels = geometry.outputChannels
    precondition(weights.count == geometry.weightCount, "\(weights.count) weights for \(geometry.weightCount)")
    precondition(zeroPoints == nil || zeroPoints!.count == 1 || zeroPoints!.count == channels)
    let zeroPoints: [Int32]? = zeroPoints.flatMap { given in
      given.allSatisfy { $0 == 0 } ? nil : (0..<channels).map { Int32(given[given.count == 1 ? 0 : $0]) }
    }
    let longest = Int(Int32.max) / (255 * (zeroPoints == nil ? 128 : 255))
    guard geometry.depth <= longest else {
      throw CompressError("an integer sum of \(geometry.depth) products may leave 32 bits; \(longest) are safe")
    }
    self.geometry = geometry
    self.isa = isa
    self.limits = limits
    self.algorithm = algorithm ?? .standard(geometry)
    precondition(self.algorithm.computes(geometry), "\(self.algorithm) do not compute this convolution")
    let isSparse = self.algorithm == .sparse
    precondition(
      !isSparse || (geometry.window.channels % 4 == 0 && zeroPoints == nil && output.yieldsCodes),
      "sparse weights do not compute this convolution")
    let panels = IntegerPanels(
      geometry, weights.baseAddress!, zeroPoints: zeroPoints, byTaps: self.algorithm == .taps,
      isa: isa)
    (groupBytes, tile) = (panels.groupBytes, panels.tile)
    isInQuads = !isSparse && panels.firstQuads != nil

    var places = ConstantLayout(), native = ck_integer_output()
    sparse =
      isSparse
      ? SparseWeights(
        WordMatrix(weights, outputs: channels, splits: isa.kernels.pointee.quads_tile.rows > 0), outputPixels: geometry.window.outputPixels, in: &places) : nil
    padding = places.add(bytes: isSparse ? geometry.window.channels : 0)
    if !isSparse { _ = places.add(bytes: panels.byteCount) }
    firstQuads = places.add(bytes: isSparse ? 0 : (panels.firstQuads?.count ?? 0) * 4)
    quadPlaces = places.add(bytes: isSparse ? 0 : Int(panels.firstQuads?.last ?? 0) * 4)
    native.scales = places.add(bytes: channels * 4)
    native.bias = places.add(bytes: channels * 4)
    if zeroPoints != nil { native.weight_zero_points = places.add(bytes: channels * 4) }
    switch output {
    case .codes(let inputZeroPoint, let bias, let scales, let zeroPoint, let clamp):
      precondition(scales.count == channels && (bias == nil || bias!.count == channels))
      try Self.checkFinite(scales)
      let folded = try panels.folded(bias, inputZeroPoint)
      native.zero_point = zeroPoint
      (native.lo, native.hi) = (clamp.lowerBound, clamp.upperBound)
      native.input.zero_point = inputZeroPoint
      constants = OwnedMemory(byteCount: places.byteCount)
      constants.store(scales, at: native.scales)
      constants.store(folded, at: native.bias)
      if isSparse {
        constants.store([UInt8](repeating: inputZeroPoint, count: geometry.window.channels), at: padding)
      }
    case .floats(let scales, let bias, let clamp):
      precondition(scales.count == channels && (bias == nil || bias!.count == channels))
      try Self.checkFinite(scales)
      native.to_floats = true
      native.per_image = true
      (native.low, native.high) = (clamp.lowerBound, clamp.upperBound)
      native.weight_sums = places.add(bytes: channels * 4)
      constants = OwnedMemory(byteCount: places.byteCount)
      constants.store(scales, at: native.scales)
      constants.store(bias ?? [Float](repeating: 0, count: channels), at: native.bias)
      constants.store(panels.sums, at: native.weight_sums)
    }
    if let zeroPoints { constants.store(zeroPoints, at: native.weight_zero_points) }
    if let sparse {
      sparse.pack(into: constants)
    } else if let first = panels.firstQuads {
      constants.store(first, at: firstQuads)
      panels.pack(
        weights.baseAddress!, into: constants.pointer(),
        places: (constants.base + quadPlaces).assumingMemoryBound(to: UInt32.self))
    } else {
      panels.pack(weights.baseAddress!, into: constants.pointer())
    }
    self.output = native
  }

  private static func checkFinite(_ scales: [Float]) throws {
    guard let channel = scales.firstIndex(where: { !$0.isFinite }) else { return }
    throw CompressError("the scale of channel \(channel) is \(scales[channel])")
  }

  /// Bytes the packed weights take, with all that goes with them.
  public var packedBytes: Int { constants.byteCount }

  // MARK: Steps

  private var isByTaps: Bool { algorithm == .taps }

  private func patches(_ output: ck_integer_output) -> ck_u8s8_patches {
    ck_u8s8_patches(
      geometry: geometry.native, tile: tile, limits: limits.native, group_bytes: groupBytes,
      first_quads: isInQuads ? firstQuads : 0, places: quadPlaces, output: output)
  }

  private func taps(_ output: ck_integer_output) -> ck_u8s8_taps {
    ck_u8s8_taps(window: geometry.window.native, output: output)
  }

  private func step(_ output: ck_integer_output) -> PreparedStep {
    if let sparse {
      let native = ck_u8s8_sparse(
        geometry: geometry.native, weights: sparse.native, output: output, padding: padding)
      return PreparedStep(
        "u8s8_sparse", native, constants: constants, run: ck_run_u8s8_sparse, scratch: ck_scratch_u8s8_sparse)
    }
    return isByTaps
      ? PreparedStep(
        "u8s8_taps", taps(output), constants: constants, run: ck_run_u8s8_taps, scratch: ck_scratch_u8s8_taps)
      : PreparedStep(
        "u8s8_patches", patches(output), constants: constants, run: ck_run_u8s8_patches,
        scratch: ck_scratch_u8s8_patches)
  }

  /// What a plan holds of it.
  ///
  /// - Parameter input: how all images are coded, for a descriptor with `IntegerOutput.floats`; with
  ///   `IntegerOutput.codes` it is known already.
  public func step(input: AffineQuantization? = nil) -> PreparedStep {
    precondition((input != nil) == output.to_floats, "the input's coding is needed for floats, and for nothing else")
    var output = output
    if let input { output.input = input.native }
    output.per_image = false
    return step(output)
  }

  /// The same over float images, each of which is quantized over its own range first; for a descriptor with
  /// `IntegerOutput.floats`.
  public var dynamicStep: PreparedStep {
    precondition(output.to_floats, "this convolution yields codes")
    return PreparedStep(
      "dynamic_convolution",
      ck_dynamic_convolution(
        count: geometry.inputCount, is_depthwise: isByTaps, patches: patches(output), taps: taps(output)),
      constants: constants, run: ck_run_dynamic_convolution, scratch: ck_scratch_dynamic_convolution)
  }

  /// Scratch that `run` needs for up to that many images on that many threads.
  public func scratchBytes(batch: Int, threads: Int) -> Int {
    step(output).scratchBytes(batch: batch, threads: threads)
  }

  /// From codes to codes; for a descriptor with `IntegerOutput.codes`.
  public func run(
    input: UnsafePointer<UInt8>, output target: UnsafeMutablePointer<UInt8>, batch: Int,
    scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool
  ) {
    precondition(!output.to_floats, "this convolution yields floats")
    run(input, nil, target, batch, scratch, pool)
  }

  /// From codes to real numbers; for a descriptor with `IntegerOutput.floats`.
  ///
  /// - Parameter quantization: of the input, one for each image of the batch.
  public func run(
    input: UnsafePointer<UInt8>, quantization: UnsafeBufferPointer<AffineQuantization>,
    output target: UnsafeMutablePointer<Float>, batch: Int, scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool
  ) {
    precondition(output.to_floats, "this convolution yields codes")
    precondition(quantization.count == batch, "\(quantization.count) quantizations for \(batch) images")
    let native = quantization.map(\.native)
    native.withUnsafeBytes { run(input, $0.baseAddress, target, batch, scratch, pool) }
  }

  private func run(
    _ input: UnsafePointer<UInt8>, _ quantizations: UnsafeRawPointer?, _ target: UnsafeMutableRawPointer, _ batch: Int,
    _ scratch: UnsafeMutableRawBufferPointer, _ pool: ThreadPool
  ) {
    precondition(scratch.count >= scratchBytes(batch: batch, threads: pool.threads), "too little scratch")
    pool.run(
      step(output), on: isa.kernels, [UnsafeRawPointer(input), quantizations], to: [target], constants: constants.base,
      scratch: scratch.baseAddress, batch: batch)
  }
}

extension IntegerPanels {
  /// The bias with the input's zero point folded in.
  ///
  /// - Throws: `CompressError` when a sum could leave 32 bits.
  fileprivate func folded(_ bias: [Int32]?, _ inputZeroPoint: UInt8) throws -> [Int32] {
    try sums.indices.map { channel in
      let start = Int(bias?[channel] ?? 0) - Int(inputZeroPoint) * Int(sums[channel])
      let reach = reach[channel]
      guard start + reach.lowerBound >= Int(Int32.min), start + reach.upperBound <= Int(Int32.max) else {
        throw CompressError("the bias \(bias?[channel] ?? 0) of channel \(channel) may take its sum out of 32 bits")
      }
      return Int32(start)
    }
  }
}
