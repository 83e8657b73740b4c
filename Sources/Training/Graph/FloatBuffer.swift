import Diagnostics
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// float32 memory of a fixed size, zero at first: activations, gradients, optimizer state.
final class FloatBuffer {
  let count: Int
  let base: UnsafeMutablePointer<Float>
  /// Whose memory it is part of; nil when it is its own.
  private let owner: FloatBuffer?

  /// - Throws: `CompressError` when there is no such amount of memory.
  init(_ count: Int) throws {
    let alignment = 64
    let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
    guard !overflow, bytes <= Int.max - 2 * alignment,
      // One more line than needed: vector loads may reach past the last element.
      let memory = aligned_alloc(alignment, (bytes + 2 * alignment - 1) / alignment * alignment)
    else { throw CompressError("no memory for \(count) float32 values", kind: .system) }
    memset(memory, 0, bytes)
    self.count = count
    base = memory.bindMemory(to: Float.self, capacity: count)
    owner = nil
  }

  /// A part of another's memory, which it keeps alive.
  init(_ count: Int, at offset: Int, of owner: FloatBuffer) {
    precondition(offset >= 0 && offset + count <= owner.count)
    self.count = count
    base = owner.base + offset
    self.owner = owner
  }

  convenience init(_ tensor: Tensor) throws {
    try self.init(tensor.count)
    tensor.converted(to: .float32).withElements(Float.self) { values in
      if let source = values.baseAddress { base.update(from: source, count: count) }
    }
  }

  deinit {
    if owner == nil { free(base) }
  }

  subscript(index: Int) -> Float {
    get { base[index] }
    set { base[index] = newValue }
  }

  var elements: UnsafeBufferPointer<Float> { UnsafeBufferPointer(start: base, count: count) }

  func tensor(_ shape: Shape) -> Tensor {
    Tensor(copying: UnsafeRawBufferPointer(elements), shape: shape, dtype: .float32)
  }
}
