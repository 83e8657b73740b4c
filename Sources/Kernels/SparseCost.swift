import CKernels

/// What a convolution with sparse weights takes, in vector operations of 16 words: enough to compare it with others.
///
/// Fitted on a Zen 4 over 19 shapes of 4x4 to 224x224 outputs, 64 to 2,048 channels and 80 to 95 % zeros, to within a
/// fifth of what was measured.
public struct SparseCost {
  private let depth, outputs, nonzeros: Double

  public init(_ geometry: ConvolutionGeometry, _ weights: SparseCount) {
    depth = Double(weights.words / max(geometry.outputChannels, 1))
    outputs = Double(geometry.outputChannels)
    nonzeros = Double(weights.nonzeros)
  }

  /// For so many outputs.
  ///
  /// - Parameter product: a vector's multiplication and addition.
  public func operations(outputs count: Int, product: Double = 1.2) -> Double {
    let sixteens = Double(ceilDivide(count, 16)), strips = Double(ceilDivide(count, Int(CK_STRIP)))
    let width = sixteens / strips, blocks = (depth / Double(CK_STRIP_ROWS)).rounded(.up)
    // A weight is a broadcast, and a product for each vector; for one vector alone reading it takes longer, most of all from
    // memory.
    let weight = max(nonzeros > 200_000 ? 2.4 : 1.8, product * width + 0.6)
    let gathering = 7.4 * width * depth, giving = 8 * width * outputs, continuing = (4 + width) * outputs * blocks
    return strips * (weight * nonzeros + gathering + giving + continuing)
  }

  /// The same in multiplications of a dense product of floats at 92 % of the peak. A tenth more, so that it pays.
  func floatMultiplications(outputs count: Int) -> Double { 1.1 * 16 * 0.92 * operations(outputs: count) }
}
