import CKernels

/// How a convolution or dense layer is computed.
///
/// The direct ones form each float sum in the same order, kernel row, kernel column, input channel, so that they give the
/// same bits. Winograd's method sums in another order: whether it is used follows from shape and precision alone, never
/// from the machine or the batch.
public enum ConvolutionAlgorithm: String, Sendable, CaseIterable {
  /// A product of the matrix of patches with the weights; patches are gathered a piece of rows at a time.
  case patches
  /// The same where windows are single pixels: the image itself is that matrix.
  case pixels
  /// One filter to each channel, vectors along the channels.
  case taps
  /// Winograd's F(2x2, 3x3) and F(4x4, 3x3): tiles of as many outputs from 4 instead of 9, and 2.25 instead of 9
  /// multiplications for each (see steps/f32-winograd.h). Float32 only.
  case winograd2, winograd4

  /// Whether it computes such a convolution.
  public func computes(_ geometry: ConvolutionGeometry) -> Bool {
    switch self {
    case .patches: !geometry.window.isPointwise
    case .pixels: geometry.window.isPointwise
    case .taps: geometry.isDepthwise
    case .winograd2, .winograd4: WinogradProduct.applies(to: geometry)
    }
  }

  /// Outputs along a side of a tile; nil for the direct ones.
  var winogradSide: Int? {
    switch self {
    case .winograd2: 2
    case .winograd4: 4
    case .patches, .pixels, .taps: nil
    }
  }

  /// Multiplications of one image: as many as the definition has, but for Winograd's method.
  public func multiplications(_ geometry: ConvolutionGeometry) -> Int {
    guard let side = winogradSide else { return geometry.weightCount * geometry.window.outputPixels }
    let window = geometry.window
    return ceilDivide(window.outputHeight, side) * ceilDivide(window.outputWidth, side) * (side + 2) * (side + 2)
      * window.channels * geometry.outputChannels
  }

  /// Which one of float32 takes the least time by a model of costs that knows the shape alone.
  ///
  /// Costs are in multiplications. Weights that are used once come from memory, which takes as long as ten; a tile is
  /// transformed, there and back, 16 channels at a time. Fitted on a Zen 4 over 21 shapes of 2x2 to 224x224 outputs and
  /// 32 to 512 channels. All but one get the fastest of the three or one within 10 % of it: 512 channels of 4x4 are
  /// added up directly, where F(2x2, 3x3) would take 0.75 of the time there, and longer where memory is slower.
  public static func cheapest(_ geometry: ConvolutionGeometry) -> ConvolutionAlgorithm {
    let direct = standard(geometry)
    guard WinogradProduct.applies(to: geometry) else { return direct }
    let window = geometry.window
    let products = Double(window.channels * geometry.outputChannels)
    let vectors = Double(roundUp(window.channels, to: 16) + roundUp(geometry.outputChannels, to: 16))
    func cost(side: Int, transform: Double) -> Double {
      let tiles = Double(ceilDivide(window.outputHeight, side) * ceilDivide(window.outputWidth, side))
      return Double((side + 2) * (side + 2)) * products * max(tiles, 10) + transform * tiles * vectors
    }
    let costs: [(ConvolutionAlgorithm, Double)] = [
      (direct, 9 * products * max(Double(window.outputPixels), 10)),
      // What is saved has to be worth the weights' room.
      (.winograd2, 1.15 * cost(side: 2, transform: 180)), (.winograd4, 1.15 * cost(side: 4, transform: 400)),
    ]
    return costs.min { $0.1 < $1.1 }!.0
  }

  /// The direct one that is taken where nobody chooses.
  public static func standard(_ geometry: ConvolutionGeometry) -> ConvolutionAlgorithm {
    geometry.isDepthwise ? .taps : geometry.window.isPointwise ? .pixels : .patches
  }
}

/// How a matrix product is cut into pieces of work, which never shows in a result.
public struct CutLimits: Hashable, Sendable {
  /// What a piece's rows of the left matrix may take.
  public var pieceBytes: Int
  /// So many pieces, where there is work enough.
  public var pieces: Int

  public init(pieceBytes: Int, pieces: Int) {
    self.pieceBytes = pieceBytes
    self.pieces = pieces
  }

  /// Rows that stay in the second cache level beside a panel, and pieces enough for a handful of threads.
  public static let standard = CutLimits(pieceBytes: 128 << 10, pieces: 16)

  var native: ck_cut_limits {
    ck_cut_limits(piece_bytes: pieceBytes, most_rows: 448, pieces: pieces, least_work: 1 << 15)
  }
}
