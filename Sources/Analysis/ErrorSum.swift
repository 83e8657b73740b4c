import Foundation

/// The error of values that arrive in pieces.
struct ErrorSum {
  private var signal = 0.0, other = 0.0, noise = 0.0, product = 0.0, maximum = 0.0

  mutating func add(_ a: [Float], _ b: [Float]) {
    for (x, y) in zip(a, b) {
      let (x, y) = (Double(x), Double(y))
      signal += x * x
      other += y * y
      product += x * y
      noise += (x - y) * (x - y)
      maximum = max(maximum, abs(x - y))
    }
  }

  var error: Differences.Error {
    let norms = (signal * other).squareRoot()
    return Differences.Error(
      decibels: noise == 0 ? nil : 10 * log10(signal / noise), maximum: maximum,
      // Rounding must not keep what is the same from being so.
      cosine: noise == 0 ? 1 : norms > 0 ? product / norms : 0)
  }
}
