import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A function of two truth values (uint8: zero is false, all else true), by the name scripts know it by.
public enum LogicalOperation: String, Sendable, CaseIterable {
  case and, or, xor
}

extension Tensor {
  /// The function of the elements of two uint8 tensors, broadcast against each other: uint8 of 0 and 1.
  ///
  /// - Throws: `CompressError` when a type is not uint8 or the shapes do not broadcast.
  public func applying(_ operation: LogicalOperation, _ other: Tensor) throws -> Tensor {
    let target = try Shape.broadcast(shape, other.shape)
    let left = try checkedTruth().broadcast(to: target), right = try other.checkedTruth().broadcast(to: target)
    var out = Tensor(zeros: target, dtype: .uint8)
    left.withElements(UInt8.self) { a in
      right.withElements(UInt8.self) { b in
        out.withMutable(UInt8.self) { out in
          switch operation {
          case .and: Tensor.each(a, b, out) { $0 != 0 && $1 != 0 ? 1 : 0 }
          case .or: Tensor.each(a, b, out) { $0 | $1 != 0 ? 1 : 0 }
          case .xor: Tensor.each(a, b, out) { ($0 != 0) != ($1 != 0) ? 1 : 0 }
          }
        }
      }
    }
    return out
  }

  /// 1 where a uint8 tensor is 0, and 0 elsewhere.
  ///
  /// - Throws: `CompressError` when the type is not uint8.
  public func negated() throws -> Tensor {
    let truth = try checkedTruth()
    var out = Tensor(zeros: shape, dtype: .uint8)
    truth.withElements(UInt8.self) { from in
      out.withMutable(UInt8.self) { Tensor.each(from, $0) { $0 == 0 ? 1 : 0 } }
    }
    return out
  }

  /// Elements of `then` where `condition` (uint8) is not 0, of `otherwise` elsewhere, as float32; the
  /// three are broadcast against each other.
  ///
  /// - Throws: `CompressError` when the condition is not uint8 or the shapes do not broadcast.
  public static func select(_ condition: Tensor, _ then: Tensor, _ otherwise: Tensor) throws -> Tensor {
    let target = try Shape.broadcast(try Shape.broadcast(condition.shape, then.shape), otherwise.shape)
    var out = Tensor(zeros: target)
    try condition.checkedTruth().broadcast(to: target).withElements(UInt8.self) { condition in
      try then.converted(to: .float32).broadcast(to: target).withElements(Float.self) { then in
        try otherwise.converted(to: .float32).broadcast(to: target).withElements(Float.self) { otherwise in
          out.withMutable(Float.self) { out in
            for run in Cancellation.runs(out.count) {
              for i in run { out[i] = condition[i] != 0 ? then[i] : otherwise[i] }
            }
          }
        }
      }
    }
    return out
  }

  /// Whether type, shape and every bit of both are the same.
  ///
  /// - Throws: `CompressError` of kind `.cancelled` when stopped on request.
  public func isIdentical(to other: Tensor) throws -> Bool {
    guard dtype == other.dtype, shape == other.shape else { return false }
    return try withBytes { a in
      try other.withBytes { b in
        for run in Cancellation.runs(a.count, of: 64 << 20)
        where memcmp(a.baseAddress! + run.lowerBound, b.baseAddress! + run.lowerBound, run.count) != 0 { return false }
        try Cancellation.checkCurrent()
        return true
      }
    }
  }

  @inline(__always)
  private static func each(
    _ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>, _ to: UnsafeMutableBufferPointer<UInt8>,
    _ function: (UInt8, UInt8) -> UInt8
  ) {
    guard let a = a.baseAddress, let b = b.baseAddress, let target = to.baseAddress else { return }
    for run in Cancellation.runs(to.count) {
      for i in run { target[i] = function(a[i], b[i]) }
    }
  }

  private func checkedTruth() throws -> Tensor {
    guard dtype == .uint8 else {
      throw CompressError("expects truth values (uint8, such as a comparison yields), got \(dtype) of shape \(shape)")
    }
    return self
  }
}
