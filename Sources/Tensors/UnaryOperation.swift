import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A function of each element, by the name scripts know it by. NaN stays NaN.
public enum UnaryOperation: String, Sendable, CaseIterable {
  case neg, abs
  /// -1, 0 or 1.
  case sign
  case square, sqrt, exp, log, reciprocal
  case floor, ceil
  /// To the nearest integer, ties to even.
  case round
  case sigmoid, tanh, relu
}

extension Tensor {
  /// The function of every element, as float32.
  public func applying(_ operation: UnaryOperation) -> Tensor {
    switch operation {
    case .neg: mapped { -$0 }
    case .abs: mapped { $0.magnitude }
    case .sign: mapped { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 }
    case .square: mapped { $0 * $0 }
    case .sqrt: mapped { $0.squareRoot() }
    case .exp: mapped { expf($0) }
    case .log: mapped { logf($0) }
    case .reciprocal: mapped { 1 / $0 }
    case .floor: mapped { $0.rounded(.down) }
    case .ceil: mapped { $0.rounded(.up) }
    case .round: mapped { $0.roundedToEven }
    case .sigmoid: mapped { 1 / (1 + expf(-$0)) }
    case .tanh: mapped { tanhf($0) }
    case .relu: mapped { $0 < 0 ? 0 : $0 }
    }
  }

  /// Every element, as float32, moved into the range; NaN stays NaN.
  ///
  /// - Throws: `CompressError` when `low` exceeds `high` or one of them is NaN.
  public func clamped(_ low: Float, _ high: Float) throws -> Tensor {
    guard low <= high else { throw CompressError("cannot clamp to the range \(low) to \(high)") }
    return mapped { $0 < low ? low : $0 > high ? high : $0 }
  }

  /// Written over bare pointers: inside nested closures `function` would not be inlined.
  @inline(__always)
  private func mapped(_ function: (Float) -> Float) -> Tensor {
    let source = converted(to: .float32).contiguous(), out = Tensor(zeros: shape)
    let from = source.storage.bytes.baseAddress!.assumingMemoryBound(to: Float.self) + source.offset
    let to = out.storage.bytes.baseAddress!.assumingMemoryBound(to: Float.self)
    for run in Cancellation.runs(count) {
      for i in run { to[i] = function(from[i]) }
    }
    withExtendedLifetime((source, out)) {}
    return out
  }
}
