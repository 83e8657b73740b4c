import Diagnostics

/// How many samples a file may claim, and how large each: their order alone takes eight bytes a sample, and reading one
/// takes four bytes an element.
enum SampleLimits {
  /// 16 million; ImageNet has 1.3.
  static let mostSamples = 1 << 24
  /// 33 million elements of one sample: an image of 3344 x 3344 in three colours.
  static let mostElements = 1 << 25

  /// - Parameter dims: [samples, …] as a file claims.
  /// - Throws: `CompressError` of kind `.limit` when there are more of either.
  static func check(_ dims: [Int]) throws {
    guard let samples = dims.first, samples <= mostSamples else {
      throw CompressError("\(dims.first ?? 0) samples; at most \(mostSamples) are read", kind: .limit)
    }
    var elements = 1
    for dim in dims.dropFirst() {
      let (product, overflow) = elements.multipliedReportingOverflow(by: dim)
      guard !overflow, product <= mostElements else {
        throw CompressError("samples of \(dims.dropFirst()) elements; at most \(mostElements) are read", kind: .limit)
      }
      elements = product
    }
  }
}
