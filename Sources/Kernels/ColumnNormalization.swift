import CKernels

/// ColumnNormalization by column, y = clamp((x - center) * scale + shift), over rows of `width` numbers each, and its
/// gradients: what batch norms are made of. Threads may share out the rows of `apply` and `inputGradient`.
public struct ColumnNormalization {
  private let width: Int
  private let isa: InstructionSet
  private let native: ck_normalization

  /// - Parameter clamp: of an activation that follows.
  public init(
    width: Int, center: UnsafePointer<Float>, scale: UnsafePointer<Float>, shift: UnsafePointer<Float>,
    clamp: ClosedRange<Float> = -.infinity ... .infinity, isa: InstructionSet = .current
  ) {
    self.width = width
    self.isa = isa
    native = ck_normalization(
      center: center, scale: scale, shift: shift, lo: clamp.lowerBound, hi: clamp.upperBound)
  }

  /// For each column its mean over `rows` > 0 rows, and the sum of the squared distances from it.
  public static func moments(
    rows: Int, width: Int, _ x: UnsafePointer<Float>, mean: UnsafeMutablePointer<Float>,
    squares: UnsafeMutablePointer<Float>, isa: InstructionSet = .current
  ) {
    mean.update(repeating: 0, count: width)
    squares.update(repeating: 0, count: width)
    isa.kernels.pointee.f32_add_rows(rows, width, x, width, mean)
    for column in 0..<width { mean[column] /= Float(rows) }
    isa.kernels.pointee.f32_add_squares(rows, width, x, mean, squares)
  }

  public func apply(rows: Int, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
    withUnsafePointer(to: native) { isa.kernels.pointee.f32_normalize(rows, width, $0, x, y) }
  }

  /// Adds to `sums` the gradient that passes the clamp, and to `products` its product with x - center.
  public func addGradients(
    rows: Int, _ x: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>, sums: UnsafeMutablePointer<Float>,
    products: UnsafeMutablePointer<Float>
  ) {
    withUnsafePointer(to: native) {
      isa.kernels.pointee.f32_normalize_sums(rows, width, $0, x, outputGradient, sums, products)
    }
  }

  /// (g - mean - (x - center) * slope) * scale, g being the gradient that passes the clamp. It may take the place of
  /// the output's gradient.
  public func inputGradient(
    rows: Int, _ x: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>, mean: UnsafePointer<Float>,
    slope: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>
  ) {
    withUnsafePointer(to: native) {
      isa.kernels.pointee.f32_normalize_gradient(rows, width, $0, x, outputGradient, mean, slope, target)
    }
  }
}
