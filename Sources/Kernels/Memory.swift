import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Memory of a descriptor's own, aligned for vectors and zero at first: packed weights, tables and the like.
///
/// `@unchecked Sendable`: whoever makes it fills it before anybody else sees it.
public final class OwnedMemory: @unchecked Sendable {
  public let base: UnsafeMutableRawPointer
  public let byteCount: Int

  public init(byteCount: Int) {
    self.byteCount = alignedBytes(max(byteCount, 1))
    base = allocateZeroed(byteCount: self.byteCount, alignment: vectorAlignment, for: "packed weights")
  }

  /// The values, one after the other.
  public convenience init<T: BitwiseCopyable>(_ values: [T]) {
    self.init(byteCount: values.count * MemoryLayout<T>.stride)
    store(values, at: 0)
  }

  deinit { free(base) }

  func pointer<T>(_ type: T.Type = T.self) -> UnsafeMutablePointer<T> { base.assumingMemoryBound(to: T.self) }

  /// Puts the values, one after the other, where a `ConstantLayout` has room for them.
  public func store<T: BitwiseCopyable>(_ values: [T], at offset: Int) {
    precondition(offset + values.count * MemoryLayout<T>.stride <= byteCount)
    values.withUnsafeBytes { values in
      if let from = values.baseAddress { (base + offset).copyMemory(from: from, byteCount: values.count) }
    }
  }
}

/// Places one array after the other in the constants of a step, each aligned for vectors.
public struct ConstantLayout {
  public private(set) var byteCount = 0

  public init() {}

  /// The offset of the next array.
  public mutating func add(bytes: Int) -> Int {
    let offset = byteCount
    byteCount += alignedBytes(bytes)
    return offset
  }
}

let vectorAlignment = 64

/// Rounded up to whole cache lines.
func alignedBytes(_ count: Int) -> Int { (count + vectorAlignment - 1) / vectorAlignment * vectorAlignment }

func roundUp(_ value: Int, to step: Int) -> Int { (value + step - 1) / step * step }

func ceilDivide(_ value: Int, _ step: Int) -> Int { (value + step - 1) / step }

/// Hands out aligned pieces of scratch memory.
struct ScratchCursor {
  private var next: UnsafeMutableRawPointer
  private let end: UnsafeMutableRawPointer

  /// Bytes to ask for so that `bytes` fit whatever the alignment of the scratch.
  static func padded(_ bytes: Int) -> Int { bytes == 0 ? 0 : bytes + vectorAlignment }

  /// - Precondition: the scratch is at least as large as the descriptor said.
  init(_ scratch: UnsafeMutableRawBufferPointer, needed: Int) {
    precondition(scratch.count >= needed, "\(scratch.count) bytes of scratch where \(needed) are needed")
    guard needed > 0, let base = scratch.baseAddress else {
      next = UnsafeMutableRawPointer(bitPattern: vectorAlignment)!
      end = next
      return
    }
    next = base.alignedUp(toMultipleOf: vectorAlignment)
    end = base + scratch.count
  }

  mutating func take<T>(_ count: Int, of type: T.Type) -> UnsafeMutablePointer<T> {
    let piece = next
    next += alignedBytes(count * MemoryLayout<T>.stride)
    precondition(next <= end, "scratch exhausted")
    return piece.assumingMemoryBound(to: T.self)
  }
}
