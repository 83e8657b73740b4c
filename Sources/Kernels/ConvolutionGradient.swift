import CKernels
import Diagnostics

/// The gradients of a float32 convolution or dense layer with respect to its input, weights and bias.
///
/// The results are the same for any number of threads and any instruction set: an element of the input gradient is
/// summed by one thread, and so is the weight gradient over fixed chunks of the batch whose sums are added in order.
public struct ConvolutionGradient: Sendable {
  public let geometry: ConvolutionGeometry
  let isa: InstructionSet
  let precision: ProductPrecision
  /// Where windows move by single pixels, the input's gradient is itself a convolution: of the output's, with the
  /// kernel turned by 180 degrees and channels exchanged.
  private let turned: PatchProduct?
  private let turnedWinograd: WinogradConvolution?

  /// - Precondition: the instruction set has what `precision` needs.
  public init(
    _ geometry: ConvolutionGeometry, precision: ProductPrecision = .float32, isa: InstructionSet = .current
  ) {
    let precision = geometry.precision(precision)
    self.geometry = geometry
    self.precision = precision
    self.isa = isa
    turned = geometry.turned.map { PatchProduct($0, precision: precision, isa: isa) }
    turnedWinograd = precision == .float32 ? geometry.turned.flatMap { WinogradConvolution($0, isa: isa) } : nil
  }

  /// Otherwise it is a product with the weights, output pixel by output pixel, whose rows are patches that overlap
  /// and add up in the image. Its B is the weights of a group, (outputs, depth).
  private var layout: PanelLayout {
    PanelLayout(n: geometry.depth, k: geometry.outputsPerGroup, isa.kernels.pointee.tile(of: precision))
  }

  private static let patchTileBytes = 128 << 10

  private var patchRows: Int {
    let tileRows = isa.kernels.pointee.tile(of: precision).rows
    let fitting = max(Self.patchTileBytes / (geometry.depth * 4) / tileRows, 2) * tileRows
    return min(fitting, geometry.window.outputPixels)
  }

  /// Of a tile of the output's gradient.
  private var gradientPairBytes: Int {
    precision == .float32 ? 0 : alignedBytes(patchRows * layout.pairs * MemoryLayout<UInt32>.stride)
  }

  /// Where a group's weights are packed to, in whatever precision: pairs never take more than floats.
  private typealias Packed = UnsafeMutablePointer<Float>

  private func weights(_ packed: Packed) -> PackedWeights {
    switch precision {
    case .float32: .float32(packed)
    case .bfloat16: .bfloat16(Self.pairs(packed))
    }
  }

  private static func pairs(_ packed: Packed) -> UnsafeMutablePointer<UInt32> {
    UnsafeMutableRawPointer(packed).assumingMemoryBound(to: UInt32.self)
  }

  /// Scratch that `inputGradient` needs.
  public func inputGradientScratchBytes(batch: Int, threads: Int) -> Int {
    if geometry.isDepthwise {
      let taps = DepthwiseTaps(geometry).scratchBytes(threads: 1)
      return ScratchCursor.padded(alignedBytes(geometry.weightCount * 4) + threads * alignedBytes(taps))
    }
    if let turnedWinograd { return turnedWinograd.scratchBytes(threads: threads) }
    if let turned {
      let layout = turned.layout
      return ScratchCursor.padded(
        geometry.groups * alignedBytes(layout.count * 4) + alignedBytes(geometry.groups * layout.paddedColumns * 4)
          + alignedBytes(turned.scratchBytes(batch: batch, threads: threads)))
    }
    let layout = layout
    let patches = threads * (alignedBytes(patchRows * geometry.depth * 4) + gradientPairBytes)
    return ScratchCursor.padded(
      geometry.groups * alignedBytes(layout.count * 4) + alignedBytes(layout.paddedColumns * 4) + patches)
  }

  /// Overwrites `inputGradient` (batch, h, w, c) from `outputGradient` (batch, oh, ow, o) and the weights (OHWI).
  public func inputGradient(
    outputGradient: UnsafePointer<Float>, weights: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>,
    batch: Int, scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool
  ) {
    guard batch > 0 else { return }
    if let turnedWinograd {
      turnedWinograd.run(
        input: outputGradient, weights: weights, order: .turned, bias: nil, output: inputGradient, batch: batch,
        scratch: scratch, pool: pool)
      return
    }
    var cursor = ScratchCursor(
      scratch, needed: inputGradientScratchBytes(batch: batch, threads: pool.threads))
    if geometry.isDepthwise {
      depthwiseInputGradient(outputGradient, weights, inputGradient, batch, &cursor, pool)
      return
    }
    if let turned {
      turnedInputGradient(turned, outputGradient, weights, inputGradient, batch, &cursor, pool)
      return
    }
    let layout = layout
    let packed = (0..<geometry.groups).map { _ in cursor.take(layout.count, of: Float.self) }
    let zeros = cursor.take(layout.paddedColumns, of: Float.self)
    zeros.update(repeating: 0, count: layout.paddedColumns)
    pool.parallelFor(geometry.groups * layout.panels) { index in
      let (group, panel) = index.quotientAndRemainder(dividingBy: layout.panels)
      let from = weights + group * layout.k * layout.n
      switch precision {
      case .float32: layout.pack(from, columnStep: 1, rowStep: layout.n, into: packed[group], panel: panel)
      case .bfloat16:
        layout.packPairs(from, columnStep: 1, rowStep: layout.n, into: Self.pairs(packed[group]), panel: panel)
      }
    }
    let loop = FloatTileLoop(kernels: isa.kernels, layout: layout, low: -.infinity, high: .infinity)
    patchInputGradient(outputGradient, loop, packed, zeros, inputGradient, batch, &cursor, pool)
  }

  private func turnedInputGradient(
    _ turned: PatchProduct, _ outputGradient: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
    _ inputGradient: UnsafeMutablePointer<Float>, _ batch: Int, _ cursor: inout ScratchCursor, _ pool: ThreadPool
  ) {
    let layout = turned.layout
    let packed = (0..<geometry.groups).map { _ in cursor.take(layout.count, of: Float.self) }
    let zeros = cursor.take(geometry.groups * layout.paddedColumns, of: Float.self)
    zeros.update(repeating: 0, count: geometry.groups * layout.paddedColumns)
    let taps = geometry.window.taps, outputs = geometry.outputsPerGroup, depth = geometry.depth
    pool.parallelFor(geometry.groups * layout.panels) { index in
      let (group, panel) = index.quotientAndRemainder(dividingBy: layout.panels)
      let width = layout.width(panel)
      for tap in 0..<taps {
        let from = weights + group * outputs * depth + (taps - 1 - tap) * geometry.channelsPerGroup
        switch precision {
        case .float32:
          ck_f32_pack(
            layout.columns(panel), width, outputs, from + panel * layout.tile, 1, depth,
            packed[group] + layout.start(panel) + tap * outputs * width)
        case .bfloat16:
          layout.packPairs(
            from, columnStep: 1, rowStep: depth, first: tap * outputs, count: outputs, into: Self.pairs(packed[group]),
            panel: panel)
        }
      }
    }
    let bytes = turned.scratchBytes(batch: batch, threads: pool.threads)
    let constants = UnsafeRawPointer(packed[0])
    turned.run(
      turned.step(groupBytes: alignedBytes(layout.count * 4), start: UnsafeRawPointer(zeros) - constants),
      input: outputGradient, constants: constants, output: inputGradient, batch: batch,
      scratch: UnsafeMutableRawBufferPointer(start: cursor.take(bytes, of: UInt8.self), count: bytes), pool: pool)
  }

  private func patchInputGradient(
    _ outputGradient: UnsafePointer<Float>, _ loop: FloatTileLoop, _ packed: [Packed],
    _ zeros: UnsafePointer<Float>, _ inputGradient: UnsafeMutablePointer<Float>, _ batch: Int,
    _ cursor: inout ScratchCursor, _ pool: ThreadPool
  ) {
    let patchCount = alignedBytes(patchRows * geometry.depth * 4) / 4
    let patches = cursor.take(pool.threads * patchCount, of: Float.self)
    let pairCount = gradientPairBytes / MemoryLayout<UInt32>.stride
    let pairs = cursor.take(pool.threads * pairCount, of: UInt32.self)
    let outputs = geometry.outputChannels, pixels = geometry.window.outputPixels
    let rowsPerTile = patchRows, perGroup = geometry.channelsPerGroup, cancellation = Cancellation.current
    var window = geometry.window.native
    withUnsafePointer(to: &window) { window in
      pool.parallelFor(batch) { image, worker in
        let patch = patches + worker * patchCount
        let target = inputGradient + image * geometry.inputCount
        target.update(repeating: 0, count: geometry.inputCount)
        for group in 0..<geometry.groups {
          for row in stride(from: 0, to: pixels, by: rowsPerTile) {
            if cancellation?.isRequested == true { return }
            let rows = min(rowsPerTile, pixels - row)
            loop.run(
              rows: rows, a: outputGradient + (image * pixels + row) * outputs + group * geometry.outputsPerGroup,
              lda: outputs, weights: weights(packed[group]), panels: 0..<loop.layout.panels, start: zeros,
              pairs: pairs + worker * pairCount, c: patch, ldc: geometry.depth)
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
    let taps = DepthwiseTaps(geometry)
    let scratches = taps.scratches(threads: pool.threads, &cursor)
    pool.parallelFor(batch) { image, worker in
      let target = inputGradient + image * geometry.inputCount
      target.update(repeating: 0, count: geometry.inputCount)
      let source = outputGradient + image * geometry.outputCount
      taps.forEachRun(target, batch: 1, scratch: scratches[worker], pool: .serial) { run in
        run.taps.withMemoryRebound(to: UnsafeMutableRawPointer?.self, capacity: geometry.depth) {
          isa.kernels.pointee.f32_depthwise_spread(
            run.pixels, channels, geometry.depth, $0, run.step, byTap, source + run.output_pixel * channels, channels)
        }
      }
    }
  }
}

extension ConvolutionGeometry {
  /// The convolution that yields the input's gradient from the output's, where there is one.
  fileprivate var turned: ConvolutionGeometry? {
    let reach = (
      height: (window.kernelHeight - 1) * window.dilationHeight, width: (window.kernelWidth - 1) * window.dilationWidth
    )
    let padding = WindowGeometry.Padding(
      top: reach.height - window.padding.top, left: reach.width - window.padding.left,
      bottom: reach.height - window.padding.bottom, right: reach.width - window.padding.right)
    guard window.strideHeight == 1, window.strideWidth == 1, !isDepthwise else { return nil }
    let turned = try? WindowGeometry(
      height: window.outputHeight, width: window.outputWidth, channels: outputChannels,
      kernel: (window.kernelHeight, window.kernelWidth), padding: padding,
      dilation: (window.dilationHeight, window.dilationWidth))
    return turned.flatMap { try? ConvolutionGeometry($0, outputChannels: window.channels, groups: groups) }
  }
}
