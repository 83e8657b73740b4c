import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Memory of a descriptor's own, aligned for vectors and zero at first.
final class OwnedMemory {
  let base: UnsafeMutableRawPointer
  let byteCount: Int

  init(byteCount: Int) {
    self.byteCount = alignedBytes(max(byteCount, 1))
    base = allocateZeroed(byteCount: self.byteCount, alignment: vectorAlignment, for: "packed weights")
  }

  deinit { free(base) }

  func pointer<T>(_ type: T.Type = T.self) -> UnsafeMutablePointer<T> { base.assumingMemoryBound(to: T.self) }
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
