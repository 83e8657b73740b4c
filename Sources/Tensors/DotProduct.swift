import Diagnostics

/// The sum of the products of two vectors of so many elements. Four partial sums hide the latency of the additions.
///
/// Stopped on request, it is the sum of what came before.
func dotProduct(_ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ length: Int) -> Double {
  var a = 0.0, b = 0.0, c = 0.0, d = 0.0
  let even = length & ~3
  for run in Cancellation.runs(even) {  // of a multiple of four elements
    for i in stride(from: run.lowerBound, to: run.upperBound, by: 4) {
      a += x[i] * y[i]
      b += x[i + 1] * y[i + 1]
      c += x[i + 2] * y[i + 2]
      d += x[i + 3] * y[i + 3]
    }
  }
  for i in even..<length { a += x[i] * y[i] }
  return (a + b) + (c + d)
}
