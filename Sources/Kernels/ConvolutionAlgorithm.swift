import CKernels

/// How a convolution or dense layer is computed.
///
/// The direct ones form each float sum in the same order, kernel row, kernel column, input channel, so that they give the
/// same bits; sparse sums leave zeros out. Winograd's method sums in another order: whether it is used follows from shape,
/// weights and precision alone, never from the machine or the batch.
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
  /// Only weights that are not zero, outputs across the vectors (see ck-sparse.h).
  case sparse

  /// Whether it computes such a convolution.
  public func computes(_ geometry: ConvolutionGeometry) -> Bool {
    switch self {
    case .patches: !geometry.window.isPointwise
    case .pixels: geometry.window.isPointwise
    case .taps: geometry.isDepthwise
    case .winograd2, .winograd4: WinogradProduct.applies(to: geometry)
    // What its tables count with (ck_sparse_place).
    case .sparse:
      geometry.groups == 1 && geometry.outputChannels <= Int(UInt16.max) && geometry.weightCount <= Int(UInt32.max)
    }
  }

  /// Whether it multiplies with every weight, in the order of the definition.
  var isDirect: Bool { self == .patches || self == .pixels || self == .taps }

  /// Outputs along a side of a tile; nil for all but Winograd's.
  var winogradSide: Int? {
    switch self {
    case .winograd2: 2
    case .winograd4: 4
    case .patches, .pixels, .taps, .sparse: nil
    }
  }

  /// Multiplications of one image: as many as the definition has, but for Winograd's method and sparse weights.
  public func multiplications(_ geometry: ConvolutionGeometry, _ weights: SparseCount? = nil) -> Int {
    if self == .sparse, let weights {
      return weights.nonzeros * (geometry.weightCount / max(weights.words, 1)) * geometry.window.outputPixels
    }
    guard let side = winogradSide else { return geometry.weightCount * geometry.window.outputPixels }
    let window = geometry.window
    return ceilDivide(window.outputHeight, side) * ceilDivide(window.outputWidth, side) * (side + 2) * (side + 2)
      * window.channels * geometry.outputChannels
  }

  /// Which one of float32 takes the least time by a model of costs that knows shape and zeros alone.
  ///
  /// Costs are in multiplications. Weights that are used once come from memory, which takes as long as ten, or from a cache,
  /// as long as three; a tile is
  /// transformed, there and back, 16 channels at a time. Fitted on a Zen 4 over 21 shapes of 2x2 to 224x224 outputs and
  /// 32 to 512 channels. All but one get the fastest of the three or one within 10 % of it: 512 channels of 4x4 are
  /// added up directly, where F(2x2, 3x3) would take 0.75 of the time there, and longer where memory is slower.
  ///
  /// - Parameters:
  ///   - weights: how many are not zero; nil for all.
  ///   - isExact: whether the order of the definition is kept, which Winograd's method does not.
  public static func cheapest(_ geometry: ConvolutionGeometry, _ weights: SparseCount? = nil, isExact: Bool = false)
    -> ConvolutionAlgorithm
  {
    costs(geometry, weights, isExact: isExact).min { $0.cost < $1.cost }!.algorithm
  }

  /// Of those that can be taken, what each costs in multiplications.
  public static func costs(_ geometry: ConvolutionGeometry, _ weights: SparseCount? = nil, isExact: Bool = false)
    -> [(algorithm: ConvolutionAlgorithm, cost: Double)]
  {
    let direct = standard(geometry), window = geometry.window
    let definition = Double(geometry.weightCount) * max(Double(window.outputPixels), reading(geometry))
    var costs = [(algorithm: direct, cost: definition)]
    if !isExact, WinogradProduct.applies(to: geometry) { costs += winogradCosts(geometry) }
    if let weights, ConvolutionAlgorithm.sparse.computes(geometry) {
      costs.append((.sparse, SparseCost(geometry, weights).floatMultiplications(outputs: window.outputPixels)))
    }
    return costs
  }

  /// What reading a weight takes where it is used for few outputs: from memory, or from the second cache level.
  private static func reading(_ geometry: ConvolutionGeometry) -> Double { geometry.weightCount > 1 << 18 ? 10 : 3 }

  private static func winogradCosts(_ geometry: ConvolutionGeometry)
    -> [(algorithm: ConvolutionAlgorithm, cost: Double)]
  {
    let window = geometry.window
    let products = Double(window.channels * geometry.outputChannels)
    let vectors = Double(roundUp(window.channels, to: 16) + roundUp(geometry.outputChannels, to: 16))
    func cost(side: Int, transform: Double) -> Double {
      let tiles = Double(ceilDivide(window.outputHeight, side) * ceilDivide(window.outputWidth, side))
      return Double((side + 2) * (side + 2)) * products * max(tiles, 10) + transform * tiles * vectors
    }
    // What is saved has to be worth the weights' room.
    return [(.winograd2, 1.15 * cost(side: 2, transform: 180)), (.winograd4, 1.15 * cost(side: 4, transform: 400))]
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
