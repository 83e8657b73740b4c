import Kernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Softmax over the last axis, inside a network (at the output it belongs to the loss).
struct SoftmaxLayer: Layer {
  let input: Value
  let output: Value
  /// Extent of the last axis.
  private let width: Int

  init(_ input: Value, _ output: Value) {
    self.input = input
    self.output = output
    width = output.shape.dims.last!
  }

  private func rows(_ pass: Pass) -> Int { width == 0 ? 0 : pass.count * (output.size / width) }

  func forward(_ pass: Pass) {
    let (x, y, width) = (input.data, output.data, width)
    pass.pool.forRows(rows(pass), width: width) { range in
      for row in range { softmax(x.base + row * width, y.base + row * width, width) }
    }
  }

  // dx = y * (dy - sum(y * dy))
  func inputGradient(_: Int, into target: FloatBuffer, _ pass: Pass) {
    let (y, dy, width) = (output.data, output.gradient!, width)
    pass.pool.forRows(rows(pass), width: width) { range in
      for row in range {
        let y = y.base + row * width, dy = dy.base + row * width, dx = target.base + row * width
        var sum: Float = 0
        for i in 0..<width { sum += y[i] * dy[i] }
        for i in 0..<width { dx[i] = y[i] * (dy[i] - sum) }
      }
    }
  }
}

/// Softmax of one row, shifted by its maximum so that nothing overflows; `y` may be `x`. Returns the
/// maximum and the logarithm of the sum of shifted exponentials: an element's log-probability is
/// `(x - largest) - logSum`.
@discardableResult
func softmax(
  _ x: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ width: Int
) -> (largest: Float, logSum: Float) {
  var largest = x[0]
  for i in 1..<max(1, width) { largest = max(largest, x[i]) }
  var sum: Float = 0
  for i in 0..<width {
    y[i] = exp(x[i] - largest)
    sum += y[i]
  }
  let scale = 1 / sum
  for i in 0..<width { y[i] *= scale }
  return (largest, log(sum))
}
