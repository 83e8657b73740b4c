import Diagnostics

/// An n-dimensional array: storage + offset + shape + strides.
///
/// A tensor is a value. Views (`transposed`, `sliced`, `reshaped` …) share storage and cost nothing;
/// the first write to shared storage copies. Whole-tensor arithmetic is computed in float32.
public struct Tensor: Sendable {
  public let dtype: DType
  public let shape: Shape
  /// In elements, one per axis; zero along a stretched axis.
  let strides: [Int]
  let offset: Int
  var storage: Storage

  init(dtype: DType, shape: Shape, strides: [Int], offset: Int, storage: Storage) {
    self.dtype = dtype
    self.shape = shape
    self.strides = strides
    self.offset = offset
    self.storage = storage
  }

  // MARK: Making

  public init(zeros shape: Shape, dtype: DType = .float32) {
    self.init(
      dtype: dtype, shape: shape, strides: shape.strides, offset: 0,
      storage: Storage(byteCount: shape.count * dtype.size))
  }

  public init(repeating value: Float, _ shape: Shape) {
    self.init(zeros: shape)
    withMutable(Float.self) { values in
      for run in Cancellation.runs(values.count, of: 1 << 24) { values[run].update(repeating: value) }
    }
  }

  /// - Precondition: as many values as the shape has elements.
  public init<T: TensorElement>(_ values: [T], _ shape: Shape? = nil) {
    let shape = shape ?? [values.count]
    precondition(values.count == shape.count, "\(values.count) values for shape \(shape)")
    self.init(zeros: shape, dtype: T.dtype)
    withMutable(T.self) { to in values.withUnsafeBytes { copyBytes(UnsafeMutableRawBufferPointer(to), $0) } }
  }

  /// A tensor over bytes that `owner` keeps alive, such as a mapped file; nothing is copied.
  ///
  /// - Throws: `CompressError` when the byte count does not fit the shape or the address is not
  ///   aligned for the type.
  public init(borrowing bytes: UnsafeRawBufferPointer, owner: AnyObject, shape: Shape, dtype: DType) throws {
    guard bytes.count == shape.count * dtype.size else {
      throw CompressError("\(bytes.count) bytes for \(dtype) tensor of shape \(shape)", kind: .input)
    }
    guard Int(bitPattern: bytes.baseAddress) % dtype.size == 0 else {
      throw CompressError("tensor data is not aligned to \(dtype.size) bytes", kind: .input)
    }
    guard !bytes.isEmpty else {  // there may be no address to borrow
      self.init(zeros: shape, dtype: dtype)
      return
    }
    self.init(
      dtype: dtype, shape: shape, strides: shape.strides, offset: 0,
      storage: Storage(borrowing: bytes, owner: owner))
  }

  /// A tensor over a copy of the bytes: the elements in row-major order, in the machine's byte order.
  ///
  /// - Precondition: the byte count fits the shape.
  public init(copying bytes: UnsafeRawBufferPointer, shape: Shape, dtype: DType) {
    precondition(bytes.count == shape.count * dtype.size, "\(bytes.count) bytes for \(dtype) tensor of shape \(shape)")
    self.init(zeros: shape, dtype: dtype)
    copyBytes(storage.bytes, bytes)
  }

  // MARK: Facts

  public var count: Int { shape.count }
  public var rank: Int { shape.rank }
  public var byteCount: Int { count * dtype.size }
  /// Bytes of memory that this tensor keeps, with all that share its storage: 0 where a file is mapped, and for a view
  /// those of all it is a view of.
  public var heldBytes: Int { storage.isBorrowed ? 0 : storage.bytes.count }
  /// The same for tensors that share their storage, as long as one of them is there.
  public var storageIdentity: ObjectIdentifier { ObjectIdentifier(storage) }
  public var isContiguous: Bool {
    zip(zip(shape.dims, strides), shape.strides).allSatisfy { $0.0 == 1 || $0.1 == $1 } || count == 0
  }

  // MARK: Access

  /// The elements in row-major order. A view that is not contiguous is copied first.
  ///
  /// - Precondition: `T` is the tensor's element type.
  public func withElements<T: TensorElement, R>(
    _ type: T.Type = T.self, _ body: (UnsafeBufferPointer<T>) throws -> R
  ) rethrows -> R {
    precondition(T.dtype == dtype, "a \(dtype) tensor read as \(T.dtype)")
    let dense = contiguous()
    return try withExtendedLifetime(dense) {
      dense.willRead()
      let base = dense.storage.bytes.baseAddress!.assumingMemoryBound(to: T.self) + dense.offset
      return try body(UnsafeBufferPointer(start: base, count: count))
    }
  }

  /// The raw bytes in row-major order.
  public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    let dense = contiguous()
    return try withExtendedLifetime(dense) {
      dense.willRead()
      return try body(
        UnsafeRawBufferPointer(start: dense.storage.bytes.baseAddress! + dense.offset * dtype.size, count: byteCount))
    }
  }

  /// Write access in row-major order; shared or strided storage is copied first, once.
  public mutating func withMutable<T: TensorElement, R>(
    _ type: T.Type = T.self, _ body: (UnsafeMutableBufferPointer<T>) throws -> R
  ) rethrows -> R {
    precondition(T.dtype == dtype, "a \(dtype) tensor written as \(T.dtype)")
    if !isContiguous || storage.isBorrowed || !isKnownUniquelyReferenced(&storage) { self = copied() }
    let base = storage.bytes.baseAddress!.assumingMemoryBound(to: T.self) + offset
    return try body(UnsafeMutableBufferPointer(start: base, count: count))
  }

  /// The elements as an array, in row-major order.
  public func array<T: TensorElement>(_ type: T.Type = T.self) -> [T] { withElements(T.self) { Array($0) } }

  /// The value of a one-element float tensor.
  public var item: Float {
    precondition(count == 1, "item of a tensor with \(count) elements")
    return withElements(Float.self) { $0[0] }
  }

  // MARK: Layout

  /// The same values in row-major order; itself when it already is.
  public func contiguous() -> Tensor { isContiguous ? self : copied() }

  /// All of its elements are about to be read.
  private func willRead() {
    guard storage.isBorrowed, count > 0 else { return }
    let extent = zip(shape.dims, strides).reduce(1) { $0 + ($1.0 - 1) * $1.1 }
    storage.willRead(offset * dtype.size..<(offset + extent) * dtype.size)
  }

  func copied() -> Tensor {
    willRead()
    let out = Tensor(zeros: shape, dtype: dtype)
    let from = UnsafeRawPointer(storage.bytes.baseAddress!)
    let to = out.storage.bytes.baseAddress!
    if isContiguous {
      copyBytes(out.storage.bytes, UnsafeRawBufferPointer(start: from + offset * dtype.size, count: byteCount))
      return out
    }
    withExtendedLifetime(storage) {
      switch dtype.size {
      case 1: gather(UInt8.self, from, to)
      case 2: gather(UInt16.self, from, to)
      case 4: gather(UInt32.self, from, to)
      default: gather(UInt64.self, from, to)
      }
    }
    return out
  }

  private func gather<T: BitwiseCopyable>(_: T.Type, _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer) {
    let source = from.assumingMemoryBound(to: T.self)
    let target = to.assumingMemoryBound(to: T.self)
    var next = 0, isStopped = false
    var pace = Cancellation.Pace()
    forEachRow { start, length, step in
      var done = 0
      while done < length, !isStopped {
        let run = done..<min(length, done + Cancellation.standardRun)
        for i in run { target[next + i] = source[start + i * step] }
        isStopped = pace.stops(after: run.count)
        done = run.upperBound
      }
      next += length
      return !isStopped
    }
  }

  /// Visits the rows along the last axis in order, as long as `body` says true: start (elements from the storage's
  /// origin), length, step.
  private func forEachRow(_ body: (_ start: Int, _ length: Int, _ step: Int) -> Bool) {
    guard count > 0 else { return }
    guard rank > 0 else {
      _ = body(offset, 1, 1)
      return
    }
    var index = [Int](repeating: 0, count: rank - 1)
    var start = offset
    while true {
      guard body(start, shape[rank - 1], strides[rank - 1]) else { return }
      var axis = rank - 2
      while axis >= 0 {
        index[axis] += 1
        start += strides[axis]
        if index[axis] < shape[axis] { break }
        start -= strides[axis] * shape[axis]
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}

/// Copies bytes, as many as there are, unless stopping is requested meanwhile.
///
/// - Precondition: there is room for them.
func copyBytes(_ to: UnsafeMutableRawBufferPointer, _ from: UnsafeRawBufferPointer) {
  precondition(to.count >= from.count, "\(from.count) bytes into \(to.count)")
  guard let target = to.baseAddress, let source = from.baseAddress else { return }
  for run in Cancellation.runs(from.count, of: 64 << 20) {
    (target + run.lowerBound).copyMemory(from: source + run.lowerBound, byteCount: run.count)
  }
}
