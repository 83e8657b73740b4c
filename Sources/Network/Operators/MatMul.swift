import Diagnostics
import Tensors

/// The product of two values, both of which vary: `[…, m, k]` and `[…, k, n]` → `[…, m, n]`. The axes before the last two
/// are the same in both, or missing in one.
public struct MatMul: OperatorSpec {
  public static let kind = "matmul"
  public var asOperator: Operator { .matmul(self) }

  /// Whether the second is given as `[…, n, k]`.
  public var transposesSecond: Bool

  public init(transposesSecond: Bool = false) { self.transposesSecond = transposesSecond }

  public var arity: ClosedRange<Int> { 2...2 }

  public func outputShapes(_ inputs: [Shape]) throws -> [Shape] {
    let (a, b) = (inputs[0], inputs[1])
    guard a.rank >= 2, b.rank >= 2, a[a.rank - 1] == b[b.rank - (transposesSecond ? 1 : 2)],
      a.rank == 2 || b.rank == 2 || a.dims.dropLast(2) == b.dims.dropLast(2)
    else { throw CompressError("cannot multiply shapes \(a) and \(b)\(transposesSecond ? ", transposed" : "")") }
    let outer = a.rank > b.rank ? a.dims.dropLast(2) : b.dims.dropLast(2)
    return [try Shape(checking: outer + [a[a.rank - 2], b[b.rank - (transposesSecond ? 2 : 1)]])]
  }

  public func macs(_ inputs: [Shape], _ outputs: [Shape]) -> Int { outputs[0].count * inputs[0].dims.last! }
  public func work(_ inputs: [Shape], _ outputs: [Shape]) -> Double {
    Double(outputs[0].count) * Double(inputs[0].dims.last!)
  }

  public var quantization: QuantizationRule { .own }
  public func formatVersion(_ inputs: [Shape]) -> UInt32 { 3 }

  private enum CodingKeys: String, CodingKey { case transposesSecond = "transposes_second" }
}
