import Diagnostics
import Testing

@testable import Tensors

/// The message of the `CompressError` that `body` throws.
func message(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "nothing was thrown"
  } catch { return (error as? CompressError)?.message ?? "not a CompressError: \(error)" }
}

/// Float equality that also holds between NaNs.
func same(_ a: [Float], _ b: [Float]) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }
}

/// The element at an index, by the definition of strides: what every operation is tested against.
func element(_ tensor: Tensor, _ index: [Int]) -> Float {
  tensor.array(Float.self)[zip(index, tensor.shape.strides).reduce(0) { $0 + $1.0 * $1.1 }]
}

/// All indices of a shape in row-major order.
func indices(_ shape: Shape) -> [[Int]] {
  shape.dims.reduce([[]]) { all, extent in all.flatMap { index in (0..<extent).map { index + [$0] } } }
}

/// Tensors of awkward layouts with values around zero: scalar, empty, ones, sliced, transposed, stretched.
func awkwardTensors() throws -> [Tensor] {
  var random = SeededRandom(seed: 11)
  func make(_ shape: Shape) -> Tensor { Tensor(uniform: shape, -3, 3, using: &random) }
  return [
    make([]), make([0]), make([3, 0, 2]), make([1]), make([7]), make([5, 3]), make([2, 1, 3]), make([33]),
    try make([4, 6]).transposed(), try make([4, 6]).sliced(axis: 1, 1..<4),
    try make([3, 4, 5]).transposed([2, 0, 1]).sliced(axis: 0, 1..<4), try make([3, 1]).broadcast(to: [2, 3, 4]),
    try make([6, 4, 2]).selected(axis: 1, 2), make([2, 3, 1, 2]),
  ]
}
