import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A function of two elements, by the name scripts know it by.
public enum BinaryOperation: String, Sendable, CaseIterable {
  case add, sub, mul, div, pow
  /// The smaller, the larger; NaN when either is.
  case min, max
  /// Comparisons yield uint8: 1 where true. As in IEEE 754, NaN equals nothing.
  case gt, ge, lt, le, eq, ne
}

extension Tensor {
  /// A tensor with one element and no axes.
  public init(scalar value: Float) { self.init(repeating: value, []) }

  /// The function of the elements of two tensors, broadcast against each other and computed in float32.
  ///
  /// - Throws: `CompressError` when the shapes do not broadcast.
  public func applying(_ operation: BinaryOperation, _ other: Tensor) throws -> Tensor {
    switch operation {
    case .add: try combined(other) { $0 + $1 }
    case .sub: try combined(other) { $0 - $1 }
    case .mul: try combined(other) { $0 * $1 }
    case .div: try combined(other) { $0 / $1 }
    case .pow: try combined(other) { powf($0, $1) }
    case .min: try combined(other) { $0 < $1 || $0 != $0 ? $0 : $1 }
    case .max: try combined(other) { $0 > $1 || $0 != $0 ? $0 : $1 }
    case .gt: try combined(other) { $0 > $1 ? UInt8(1) : 0 }
    case .ge: try combined(other) { $0 >= $1 ? UInt8(1) : 0 }
    case .lt: try combined(other) { $0 < $1 ? UInt8(1) : 0 }
    case .le: try combined(other) { $0 <= $1 ? UInt8(1) : 0 }
    case .eq: try combined(other) { $0 == $1 ? UInt8(1) : 0 }
    case .ne: try combined(other) { $0 != $1 ? UInt8(1) : 0 }
    }
  }

  /// The function of every element and one number.
  public func applying(_ operation: BinaryOperation, _ scalar: Float) throws -> Tensor {
    try applying(operation, Tensor(scalar: scalar))
  }

  @inline(__always)
  private func combined<Out: TensorElement>(_ other: Tensor, _ function: (Float, Float) -> Out) throws -> Tensor {
    let target = try Shape.broadcast(shape, other.shape)
    var out = Tensor(zeros: target, dtype: Out.dtype)
    let left = try converted(to: .float32).broadcast(to: target)
    let right = try other.converted(to: .float32).broadcast(to: target)
    out.withMutable(Out.self) { to in
      left.withStorage { a in
        right.withStorage { b in
          Tensor.forEachRowPair(left, right) { start, length, a0, aStep, b0, bStep in
            let to = UnsafeMutableBufferPointer(rebasing: to[start..<start + length])
            let a = a + a0, b = b + b0
            switch (aStep, bStep) {
            case (1, 1): for i in to.indices { to[i] = function(a[i], b[i]) }
            case (1, 0):
              let right = b[0]
              for i in to.indices { to[i] = function(a[i], right) }
            case (0, 1):
              let left = a[0]
              for i in to.indices { to[i] = function(left, b[i]) }
            default: for i in to.indices { to[i] = function(a[i * aStep], b[i * bStep]) }
            }
          }
        }
      }
    }
    return out
  }

  /// The origin of a float32 tensor's storage, for walking over strides.
  @inline(__always)
  private func withStorage(_ body: (UnsafePointer<Float>) -> Void) {
    withExtendedLifetime(storage) { body(storage.bytes.baseAddress!.assumingMemoryBound(to: Float.self)) }
  }

  /// Visits the rows of two tensors of one shape together: start in the row-major output, length, and
  /// each tensor's start and step in its storage. Neighbouring axes that both walk evenly are one row; long rows come
  /// in pieces, so that a request to stop is heard between them.
  @inline(__always)
  private static func forEachRowPair(
    _ a: Tensor, _ b: Tensor,
    _ body: (_ start: Int, _ length: Int, _ a: Int, _ aStep: Int, _ b: Int, _ bStep: Int) -> Void
  ) {
    guard a.count > 0 else { return }
    var axes: [(extent: Int, a: Int, b: Int)] = []  // the innermost first
    for axis in (0..<a.rank).reversed() where a.shape[axis] != 1 {
      let next = (extent: a.shape[axis], a: a.strides[axis], b: b.strides[axis])
      if let last = axes.last, next.a == last.a * last.extent, next.b == last.b * last.extent {
        axes[axes.count - 1].extent *= next.extent
      } else {
        axes.append(next)
      }
    }
    let row = axes.first ?? (1, 1, 1)
    var index = [Int](repeating: 0, count: axes.count)
    var start = 0, aStart = a.offset, bStart = b.offset
    var pace = Cancellation.Pace()
    while true {
      var done = 0
      while done < row.extent {
        let length = Swift.min(Cancellation.standardRun, row.extent - done)
        body(start + done, length, aStart + done * row.a, row.a, bStart + done * row.b, row.b)
        if pace.stops(after: length) { return }
        done += length
      }
      start += row.extent
      var axis = 1
      while axis < axes.count {
        index[axis] += 1
        aStart += axes[axis].a
        bStart += axes[axis].b
        if index[axis] < axes[axis].extent { break }
        aStart -= axes[axis].a * axes[axis].extent
        bStart -= axes[axis].b * axes[axis].extent
        index[axis] = 0
        axis += 1
      }
      if axis >= axes.count { return }
    }
  }
}
