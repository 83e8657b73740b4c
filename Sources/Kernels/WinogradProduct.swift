import CKernels

/// A 3x3 convolution of stride 1 by Winograd's method with weights transformed beforehand (see steps/f32-winograd.h).
struct WinogradProduct: Sendable {
  let geometry: ConvolutionGeometry
  /// Outputs along a side of a tile.
  let side: Int
  private let isa: InstructionSet
  private let limits: CutLimits

  /// - Precondition: the method applies to the geometry.
  init(_ geometry: ConvolutionGeometry, side: Int, limits: CutLimits, isa: InstructionSet) {
    precondition(Self.applies(to: geometry) && [2, 4].contains(side))
    self.geometry = geometry
    self.side = side
    self.limits = limits
    self.isa = isa
  }

  static func applies(to geometry: ConvolutionGeometry) -> Bool {
    let window = geometry.window
    return window.kernelHeight == 3 && window.kernelWidth == 3 && window.strideHeight == 1 && window.strideWidth == 1
      && window.dilationHeight == 1 && window.dilationWidth == 1 && geometry.groups == 1
  }

  private var inputs: Int { geometry.window.channels }
  private var outputs: Int { geometry.outputChannels }
  private var places: Int { (side + 2) * (side + 2) }
  private var tile: ck_tile { isa.kernels.pointee.f32_tile }
  /// Of the weights at one place of a tile: B is (inputs, outputs).
  private var layout: PanelLayout { PanelLayout(n: outputs, k: inputs, tile) }

  /// Bytes of the panels of one place, and of those of all.
  private var placeBytes: Int { layout.bytes(ck_as_float32) }
  var panelBytes: Int { places * placeBytes }
  /// As many zeros as the sums of a tile's columns begin with, or a pixel outside the image has.
  var zeros: Int { max(layout.paddedColumns, inputs) }

  /// The step over constants that begin with the panels, and have the bias and `zeros` zeros at these bytes.
  func step(clamp: ClosedRange<Float>, bias: Int, zeros: Int) -> ck_f32_winograd {
    ck_f32_winograd(
      window: geometry.window.native, outputs: outputs, side: side, tile: tile, lo: clamp.lowerBound,
      hi: clamp.upperBound, piece_bytes: 4 * limits.pieceBytes, place_bytes: placeBytes, bias: bias, zeros: zeros)
  }

  /// Transforms weights, OHWI, and packs them.
  func pack(_ weights: UnsafePointer<Float>, into panels: UnsafeMutablePointer<Float>, pool: ThreadPool) {
    let layout = layout
    pool.parallelFor(layout.panels) { panel in
      let columns = layout.columns(panel), first = panel * layout.tile
      withUnsafeTemporaryAllocation(of: Float.self, capacity: places * columns * inputs) { transformed in
        let transformed = transformed.baseAddress!
        ck_f32_winograd_transform(
          side, inputs, columns, weights + first * geometry.depth, transformed)
        for place in 0..<places {
          ck_f32_pack(
            columns, layout.width(panel), inputs, transformed + place * columns * inputs, inputs, 1,
            panels + place * layout.count + layout.start(panel))
        }
      }
    }
  }
}
