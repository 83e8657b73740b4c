import CKernels

/// How a convolution or dense layer is computed.
///
/// All of these form each float sum in the same order, kernel row, kernel column, input channel, so that they give the
/// same bits. One that sums in another order follows from shape, structure and precision alone, never from the machine.
public enum ConvolutionAlgorithm: String, Sendable, CaseIterable {
  /// A product of the matrix of patches with the weights; patches are gathered a piece of rows at a time.
  case patches
  /// The same where windows are single pixels: the image itself is that matrix.
  case pixels
  /// One filter to each channel, vectors along the channels.
  case taps

  /// Whether it computes such a convolution.
  public func computes(_ geometry: ConvolutionGeometry) -> Bool {
    switch self {
    case .patches: !geometry.window.isPointwise
    case .pixels: geometry.window.isPointwise
    case .taps: geometry.isDepthwise
    }
  }

  /// What is taken where nobody chooses.
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
