import Diagnostics

// Views share the tensor's storage. All of them take sizes a script may have chosen, so all of them throw.
extension Tensor {
  /// The same elements under another shape; one extent may be -1 and is then derived.
  ///
  /// - Throws: `CompressError` when the number of elements differs.
  public func reshaped(_ dims: [Int]) throws -> Tensor {
    var dims = dims
    if let unknown = dims.firstIndex(of: -1) {
      dims[unknown] = 1
      let known = try Shape(checking: dims).count
      guard known > 0, count % known == 0 else { throw CompressError("cannot reshape \(shape) to \(dims)") }
      dims[unknown] = count / known
    }
    let target = try Shape(checking: dims)
    guard target.count == count else {
      throw CompressError("cannot reshape \(shape) (\(count) elements) to \(target) (\(target.count))")
    }
    let dense = contiguous()
    return Tensor(dtype: dtype, shape: target, strides: target.strides, offset: dense.offset, storage: dense.storage)
  }

  /// The axes in another order; without arguments, reversed.
  public func transposed(_ axes: [Int]? = nil) throws -> Tensor {
    let axes = axes ?? Array((0..<rank).reversed())
    guard axes.sorted() == Array(0..<rank) else {
      throw CompressError("\(Self.told(axes)) is no permutation of the \(rank) axes of a tensor of shape \(shape)")
    }
    return Tensor(
      dtype: dtype, shape: Shape(axes.map { shape[$0] }), strides: axes.map { strides[$0] }, offset: offset,
      storage: storage)
  }

  /// Elements `range` along `axis`.
  public func sliced(axis: Int, _ range: Range<Int>) throws -> Tensor {
    let axis = try checked(axis: axis)
    guard range.lowerBound >= 0, range.upperBound <= shape[axis] else {
      throw CompressError(
        "elements \(range.lowerBound &+ 1) to \(range.upperBound) are outside axis \(axis + 1) of shape \(shape)")
    }
    var dims = shape.dims
    dims[axis] = range.count
    return Tensor(
      dtype: dtype, shape: Shape(dims), strides: strides, offset: offset + range.lowerBound * strides[axis],
      storage: storage)
  }

  /// The sub-tensor at `index` along `axis`, which disappears.
  public func selected(axis: Int, _ index: Int) throws -> Tensor {
    let axis = try checked(axis: axis)
    guard (0..<shape[axis]).contains(index) else {
      throw CompressError("index \(index &+ 1) is outside axis \(axis + 1) of shape \(shape)")
    }
    var dims = shape.dims, steps = strides
    dims.remove(at: axis)
    steps.remove(at: axis)
    return Tensor(
      dtype: dtype, shape: Shape(dims), strides: steps, offset: offset + index * strides[axis], storage: storage)
  }

  /// The tensor stretched to `target` by the broadcasting rule.
  public func broadcast(to target: Shape) throws -> Tensor {
    guard try Shape.broadcast(shape, target) == target else {
      throw CompressError("shape \(shape) does not broadcast to \(target)")
    }
    let missing = target.rank - rank
    let steps = (0..<target.rank).map { axis in
      axis < missing || shape[axis - missing] != target[axis] ? 0 : strides[axis - missing]
    }
    return Tensor(dtype: dtype, shape: target, strides: steps, offset: offset, storage: storage)
  }

  /// Copies of `indices` along `axis`, in that order.
  public func gathered(axis: Int, _ indices: [Int]) throws -> Tensor {
    let axis = try checked(axis: axis)
    let extent = shape[axis]
    for index in indices where !(0..<extent).contains(index) {
      throw CompressError("index \(index &+ 1) is outside axis \(axis + 1) of shape \(shape)")
    }
    var dims = shape.dims
    dims[axis] = indices.count
    let out = Tensor(zeros: Shape(dims), dtype: dtype)
    guard out.count > 0 else { return out }
    let outer = dims[..<axis].reduce(1, *)
    let inner = dims[(axis + 1)...].reduce(1, *) * dtype.size
    var pace = Cancellation.Pace()
    withBytes { bytes in
      func copy<Unit>(of _: Unit.Type) {
        // In units of one element where the axis is the innermost: a call to copy each would cost more than the copy.
        let source = bytes.baseAddress!.assumingMemoryBound(to: Unit.self)
        let target = out.storage.bytes.baseAddress!.assumingMemoryBound(to: Unit.self)
        for row in 0..<outer {
          if pace.stops(after: indices.count) { return }
          for (place, index) in indices.enumerated() {
            target[row * indices.count + place] = source[row * extent + index]
          }
        }
      }
      switch inner == dtype.size ? inner : 0 {
      case 1: copy(of: UInt8.self)
      case 2: copy(of: UInt16.self)
      case 4: copy(of: UInt32.self)
      default:
        for row in 0..<outer {
          for (place, index) in indices.enumerated() {
            if pace.stops(after: inner / 4 + 16) { return }
            (out.storage.bytes.baseAddress! + (row * indices.count + place) * inner)
              .copyMemory(from: bytes.baseAddress! + (row * extent + index) * inner, byteCount: inner)
          }
        }
      }
    }
    return out
  }

  /// Copies of the indices `first` along the first axis and `last` along the last, in one pass.
  ///
  /// - Throws: `CompressError` when there are fewer than two axes, or an index is outside its axis.
  public func gathered(first: [Int], last: [Int]) throws -> Tensor {
    guard rank >= 2 else { throw CompressError("a tensor of shape \(shape) has no first and last axis") }
    for (axis, indices) in [(0, first), (rank - 1, last)] {
      for index in indices where !(0..<shape[axis]).contains(index) {
        throw CompressError("index \(index &+ 1) is outside axis \(axis + 1) of shape \(shape)")
      }
    }
    let out = Tensor(zeros: Shape([first.count] + shape.dims[1..<rank - 1] + [last.count]), dtype: dtype)
    let extent = shape[rank - 1], rows = shape.dims[1..<rank - 1].reduce(1, *)
    var pace = Cancellation.Pace()
    withBytes { bytes in
      func copy<Unit>(of _: Unit.Type) {
        let source = bytes.baseAddress!.assumingMemoryBound(to: Unit.self)
        var target = out.storage.bytes.baseAddress!.assumingMemoryBound(to: Unit.self)
        last.withUnsafeBufferPointer { last in
          for index in first {
            for row in index * rows..<(index + 1) * rows {
              if pace.stops(after: last.count) { return }
              let line = source + row * extent
              for place in last.indices { target[place] = line[last[place]] }
              target += last.count
            }
          }
        }
      }
      switch dtype.size {
      case 1: copy(of: UInt8.self)
      case 2: copy(of: UInt16.self)
      case 4: copy(of: UInt32.self)
      default: copy(of: UInt64.self)
      }
    }
    return out
  }

  /// The tensors one after the other along `axis`.
  ///
  /// - Throws: `CompressError` when there are none, or their types or other extents differ.
  public static func concatenated(_ parts: [Tensor], axis: Int) throws -> Tensor {
    guard let first = parts.first else { throw CompressError("nothing to concatenate") }
    let axis = try first.checked(axis: axis)
    return try concatenated(parts, axis: axis, like: first)
  }

  private static func concatenated(_ parts: [Tensor], axis: Int, like model: Tensor) throws -> Tensor {
    var dims = model.shape.dims
    dims[axis] = 0
    for part in parts {
      var other = part.shape.dims
      guard part.dtype == model.dtype, other.count == dims.count else {
        throw CompressError("cannot concatenate \(part.dtype) \(part.shape) with \(model.dtype) \(model.shape)")
      }
      dims[axis] += other[axis]
      other[axis] = dims[axis]
      guard other == dims else {
        throw CompressError("cannot concatenate \(part.shape) with \(model.shape) along axis \(axis)")
      }
    }
    let out = Tensor(zeros: Shape(dims), dtype: model.dtype)
    let size = model.dtype.size
    let outer = dims[..<axis].reduce(1, *)
    let inner = dims[(axis + 1)...].reduce(1, *) * size
    var column = 0
    var pace = Cancellation.Pace()
    for part in parts {
      let chunk = part.shape[axis] * inner
      part.withBytes { bytes in
        guard chunk > 0 else { return }
        for row in 0..<outer {
          if pace.stops(after: chunk / 4 + 16) { return }
          let place = row * dims[axis] * inner + column
          copyBytes(
            UnsafeMutableRawBufferPointer(rebasing: out.storage.bytes[place..<place + chunk]),
            UnsafeRawBufferPointer(rebasing: bytes[row * chunk..<(row + 1) * chunk]))
        }
      }
      column += chunk
    }
    return out
  }

  /// Axes as scripts count them, and so do errors: from 1, or back from -1.
  static func told(_ axes: [Int]) -> [Int] { axes.map { $0 < 0 ? $0 : $0 &+ 1 } }

  /// The axis as 0..<rank; negative axes count from the end.
  func checked(axis: Int) throws -> Int {
    let positive = axis < 0 ? axis + rank : axis
    guard (0..<rank).contains(positive) else {
      throw CompressError("axis \(Self.told([axis])[0]) is outside a tensor of shape \(shape)")
    }
    return positive
  }
}
