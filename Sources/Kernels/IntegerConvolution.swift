import CKernels
import Diagnostics

/// A convolution or dense layer of unsigned 8-bit activations with signed 8-bit weights.
///
/// Images are NHWC, weights OHWI, symmetric (zero point 0). Products are summed exactly in 32 bits; see
/// `IntegerOutput` for what follows. Outside the image lies the input's zero point. The same bits for any number
/// of threads and any instruction set.
///
/// `@unchecked Sendable`: immutable after `init`.
public final class IntegerConvolution: @unchecked Sendable {
  public let geometry: ConvolutionGeometry
  private let output: Output
  private let kernels: UnsafePointer<ck_kernels>
  private let panels: IntegerPanels

  /// `IntegerOutput` with a value for every channel, and the zero point of a static input folded into the bias.
  private enum Output {
    case codes(inputZeroPoint: UInt8, bias: [Int32], scales: [Float], zeroPoint: UInt8, clamp: ClosedRange<UInt8>)
    case floats(scales: [Float], bias: [Float], clamp: ClosedRange<Float>)
  }

  /// - Precondition: as many weights as the geometry says, and a scale and bias for each output channel.
  /// - Throws: `CompressError` when sums could leave 32 bits, or a scale is not finite.
  public init(
    _ geometry: ConvolutionGeometry, weights: UnsafeBufferPointer<Int8>, output: IntegerOutput,
    isa: InstructionSet = .current
  ) throws {
    precondition(weights.count == geometry.weightCount, "\(weights.count) weights for \(geometry.weightCount)")
    let longest = Int(Int32.max) / (255 * 128)
    guard geometry.depth <= longest else {
      throw CompressError("an integer sum of \(geometry.depth) products may leave 32 bits; \(longest) are safe")
    }
    self.geometry = geometry
    kernels = isa.kernels
    panels = IntegerPanels(geometry, weights.baseAddress!, kernels)
    self.output = try Self.complete(output, geometry, panels)
  }

  private static func complete(
    _ output: IntegerOutput, _ geometry: ConvolutionGeometry, _ panels: IntegerPanels
  ) throws -> Output {
    let channels = geometry.outputChannels
    switch output {
    case .codes(let inputZeroPoint, let bias, let scales, let zeroPoint, let clamp):
      precondition(scales.count == channels && (bias == nil || bias!.count == channels))
      try checkFinite(scales)
      let folded = try (0..<channels).map { channel in
        let start = Int(bias?[channel] ?? 0) - Int(inputZeroPoint) * Int(panels.sums[channel])
        let reach = panels.reach[channel]
        guard start + reach.lowerBound >= Int(Int32.min), start + reach.upperBound <= Int(Int32.max) else {
          throw CompressError("the bias \(bias?[channel] ?? 0) of channel \(channel) may take its sum out of 32 bits")
        }
        return Int32(start)
      }
      return .codes(
        inputZeroPoint: inputZeroPoint, bias: folded, scales: scales, zeroPoint: zeroPoint, clamp: clamp)
    case .floats(let scales, let bias, let clamp):
      precondition(scales.count == channels && (bias == nil || bias!.count == channels))
      try checkFinite(scales)
      return .floats(scales: scales, bias: bias ?? [Float](repeating: 0, count: channels), clamp: clamp)
    }
  }

  private static func checkFinite(_ scales: [Float]) throws {
    guard let channel = scales.firstIndex(where: { !$0.isFinite }) else { return }
    throw CompressError("the scale of channel \(channel) is \(scales[channel])")
  }

  /// Bytes the packed weights take.
  public var packedBytes: Int { panels.byteCount }

  /// Scratch that `run` needs for up to that many images on that many threads.
  public func scratchBytes(batch: Int, threads: Int) -> Int {
    if geometry.isDepthwise {
      let taps = DepthwiseTaps(geometry, element: 1)
      return alignedBytes(taps.scratchBytes(threads: threads))
        + ScratchCursor.padded(threads * alignedBytes(depthwiseRun * geometry.outputChannels * 4))
    }
    return ScratchCursor.padded(threads * (sumBytes + patchBytes(tiling(batch))))
  }

  /// From codes to codes; for a descriptor with `IntegerOutput.codes`.
  public func run(
    input: UnsafePointer<UInt8>, output target: UnsafeMutablePointer<UInt8>, batch: Int,
    scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool
  ) {
    guard case .codes(let inputZeroPoint, let bias, let scales, let zeroPoint, let clamp) = output else {
      preconditionFailure("this convolution yields floats")
    }
    let kernels = kernels.pointee
    let channels = geometry.outputChannels
    let padding = { (_: Int) in inputZeroPoint }
    bias.withUnsafeBufferPointer { bias in
      scales.withUnsafeBufferPointer { scales in
        func requantization(from channel: Int) -> ck_requantization {
          ck_requantization(
            bias: bias.baseAddress! + channel, scale: scales.baseAddress! + channel, zero_point: Int32(zeroPoint),
            lo: Int32(clamp.lowerBound), hi: Int32(clamp.upperBound))
        }
        if geometry.isDepthwise {
          var requantization = requantization(from: 0)
          withUnsafePointer(to: &requantization) { requantization in
            forEachRun(input, batch: batch, padding: padding, most: .max, scratch: scratch, pool: pool) { run, _ in
              kernels.u8s8_depthwise_codes(
                run.pixels, channels, geometry.depth, run.taps, run.step, panels.byTap, requantization,
                target + run.outputPixel * channels, channels)
            }
          }
        } else {
          forEachStrip(input, batch: batch, padding: padding, scratch: scratch, pool: pool) { strip, _ in
            var requantization = requantization(from: strip.columns.lowerBound)
            strip.forEachTile(of: kernels.u8_tile.rows) { rows, a in
              kernels.u8s8_gemm_codes(
                rows.count, strip.columns.count, strip.depth, a, strip.lda, strip.weights, strip.width,
                &requantization, target + rows.lowerBound * channels + strip.columns.lowerBound, channels)
            }
          }
        }
      }
    }
  }

  /// From codes to real numbers; for a descriptor with `IntegerOutput.floats`.
  ///
  /// - Parameter quantization: of the input, one for each image of the batch.
  public func run(
    input: UnsafePointer<UInt8>, quantization: UnsafeBufferPointer<AffineQuantization>,
    output target: UnsafeMutablePointer<Float>, batch: Int, scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool
  ) {
    guard case .floats(let scales, let bias, let clamp) = output else {
      preconditionFailure("this convolution yields codes")
    }
    precondition(quantization.count == batch, "\(quantization.count) quantizations for \(batch) images")
    let kernels = kernels.pointee
    let channels = geometry.outputChannels, pixels = geometry.window.outputPixels
    let padding = { (image: Int) in quantization[image].zeroPoint }
    /// Of some output pixels, counted over the batch, and some output channels.
    func dequantize(_ block: UnsafePointer<Int32>, stride: Int, _ rows: Range<Int>, _ columns: Range<Int>) {
      var row = rows.lowerBound
      while row < rows.upperBound {
        let image = row / pixels, first = columns.lowerBound
        let end = min((image + 1) * pixels, rows.upperBound)
        scales.withUnsafeBufferPointer { scales in
          bias.withUnsafeBufferPointer { bias in
            panels.sums.withUnsafeBufferPointer { sums in
              kernels.i32_dequantize(
                end - row, columns.count, block + (row - rows.lowerBound) * stride, stride,
                Int32(quantization[image].zeroPoint), sums.baseAddress! + first, quantization[image].scale,
                scales.baseAddress! + first, bias.baseAddress! + first, clamp.lowerBound, clamp.upperBound,
                target + row * channels + first, channels)
            }
          }
        }
        row = end
      }
    }
    if geometry.isDepthwise {
      forEachRun(input, batch: batch, padding: padding, most: depthwiseRun, scratch: scratch, pool: pool) { run, sums in
        kernels.u8s8_depthwise(
          run.pixels, channels, geometry.depth, run.taps, run.step, panels.byTap, sums, channels)
        dequantize(sums, stride: channels, run.outputPixel..<run.outputPixel + run.pixels, 0..<channels)
      }
    } else {
      forEachStrip(input, batch: batch, padding: padding, scratch: scratch, pool: pool) { strip, sums in
        strip.forEachTile(of: kernels.u8_tile.rows) { rows, a in
          kernels.u8s8_gemm(
            rows.count, strip.columns.count, strip.depth, a, strip.lda, strip.weights, strip.width, sums,
            kernels.u8_tile.columns)
          dequantize(sums, stride: kernels.u8_tile.columns, rows, strip.columns)
        }
      }
    }
  }

  // MARK: Walking

  /// Some output pixels, counted over the batch, of the output channels in one panel.
  private struct Strip {
    let rows, columns: Range<Int>
    /// The patches of the rows, each `lda` from the one before.
    let a: UnsafePointer<UInt8>
    let lda, depth: Int
    let weights: UnsafePointer<Int8>
    let width: Int

    @inline(__always)
    func forEachTile(of height: Int, _ body: (_ rows: Range<Int>, _ a: UnsafePointer<UInt8>) -> Void) {
      var row = 0
      while row < rows.count {
        let count = min(height, rows.count - row)
        body(rows.lowerBound + row..<rows.lowerBound + row + count, a + row * lda)
        row += count
      }
    }
  }

  private var sumBytes: Int { alignedBytes(kernels.pointee.u8_tile.rows * kernels.pointee.u8_tile.columns * 4) }
  /// A patch is padded to whole groups of four, so that the kernels meet no ragged end.
  private var patchStride: Int { roundUp(geometry.depth, to: 4) }
  /// Depthwise outputs at a time whose sums stay within the first cache levels.
  private var depthwiseRun: Int { min(geometry.window.outputWidth, max(1, 8192 / geometry.outputChannels)) }

  private func tiling(_ batch: Int) -> RowTiling {
    RowTiling(
      rows: batch * geometry.window.outputPixels, depth: geometry.depth, columns: geometry.outputsPerGroup,
      rowBytes: patchStride, tileRows: kernels.pointee.u8_tile.rows, panels: panels.panels,
      copiesRows: !geometry.window.isPointwise)
  }

  private func patchBytes(_ tiling: RowTiling) -> Int {
    geometry.window.isPointwise ? 0 : alignedBytes(tiling.mostRowsPerTile * patchStride)
  }

  /// Calls `body` for every strip, in parallel, with room for a tile of sums.
  private func forEachStrip(
    _ input: UnsafePointer<UInt8>, batch: Int, padding: (_ image: Int) -> UInt8,
    scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool,
    _ body: (_ strip: Strip, _ sums: UnsafeMutablePointer<Int32>) -> Void
  ) {
    guard batch > 0 else { return }
    let tiling = tiling(batch)
    let isDirect = geometry.window.isPointwise
    var cursor = ScratchCursor(scratch, needed: scratchBytes(batch: batch, threads: pool.threads))
    let tiles = cursor.take(pool.threads * sumBytes / 4, of: Int32.self)
    let patches = cursor.take(pool.threads * patchBytes(tiling), of: UInt8.self)
    let channels = geometry.window.channels, perGroup = geometry.channelsPerGroup
    let cancellation = Cancellation.current
    pool.forWork(geometry.groups * tiling.work).parallelFor(geometry.groups * tiling.count) { index, worker in
      var pace = Cancellation.Pace(of: cancellation)
      let group = index / tiling.count
      let (rows, range) = tiling.piece(index % tiling.count)
      let patch = patches + worker * patchBytes(tiling)
      if !isDirect { gather(input, group, rows, padding, into: patch) }
      let a = isDirect ? input + rows.lowerBound * channels + group * perGroup : UnsafePointer(patch)
      for panel in range {
        let columns = panels.columns(panel)
        if pace.stops(after: rows.count * geometry.depth) { return }
        let first = group * geometry.outputsPerGroup + columns.lowerBound
        body(
          Strip(
            rows: rows, columns: first..<first + columns.count, a: a, lda: isDirect ? channels : patchStride,
            depth: isDirect ? geometry.depth : patchStride, weights: panels.panel(panel, group: group),
            width: panels.width(panel)),
          tiles + worker * sumBytes / 4)
      }
    }
  }

  /// Patches of the rows, image by image, for each has a padding of its own.
  private func gather(
    _ input: UnsafePointer<UInt8>, _ group: Int, _ rows: Range<Int>, _ padding: (_ image: Int) -> UInt8,
    into patch: UnsafeMutablePointer<UInt8>
  ) {
    var window = geometry.window.native
    let pixels = geometry.window.outputPixels, perGroup = geometry.channelsPerGroup
    var row = rows.lowerBound
    while row < rows.upperBound {
      let image = row / pixels
      let end = min((image + 1) * pixels, rows.upperBound)
      ck_u8_im2col(
        &window, input, group * perGroup, perGroup, row, end - row, padding(image),
        patch + (row - rows.lowerBound) * patchStride, patchStride)
      row = end
    }
  }

  /// Calls `body` for every depthwise run, in parallel, with room for `depthwiseRun` outputs' sums.
  private func forEachRun(
    _ input: UnsafePointer<UInt8>, batch: Int, padding: (_ image: Int) -> UInt8, most: Int,
    scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool,
    _ body: (_ run: DepthwiseTaps.Run, _ sums: UnsafeMutablePointer<Int32>) -> Void
  ) {
    guard batch > 0 else { return }
    precondition(scratch.count >= scratchBytes(batch: batch, threads: pool.threads), "too little scratch")
    let taps = DepthwiseTaps(geometry, element: 1)
    let tapBytes = alignedBytes(taps.scratchBytes(threads: pool.threads))
    let (tapScratch, sumScratch) = (scratch[..<tapBytes], scratch[tapBytes...])
    var cursor = ScratchCursor(UnsafeMutableRawBufferPointer(rebasing: sumScratch), needed: 1)
    let runSums = alignedBytes(depthwiseRun * geometry.outputChannels * 4) / 4
    let sums = cursor.take(pool.threads * runSums, of: Int32.self)
    taps.forEachRun(
      input, batch: batch, most: most, padByte: padding, scratch: UnsafeMutableRawBufferPointer(rebasing: tapScratch),
      pool: pool
    ) { run in body(run, sums + run.worker * runSums) }
  }
}
