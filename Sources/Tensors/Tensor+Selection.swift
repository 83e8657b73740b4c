import Diagnostics

// Ranking by value. NaN has no rank and is refused; +0 and -0 are equal.
extension Tensor {
  /// The k-th smallest element, counting from 1; found in linear time.
  ///
  /// - Throws: `CompressError` when `k` is outside 1...count or an element is NaN.
  public func kthSmallest(_ k: Int) throws -> Float {
    guard k >= 1 else { throw CompressError("there is no \(k)-th smallest value; the smallest is the 1st") }
    return try ThresholdSearch.smallest(k) { try $0(self) }.threshold!
  }

  /// The `k` largest elements, largest first, and their row-major indices (int64); equal elements in
  /// the order of their indices.
  ///
  /// - Throws: `CompressError` when `k` is outside 0...count or an element is NaN.
  public func topK(_ k: Int) throws -> (values: Tensor, indices: Tensor) {
    var search = try ThresholdSearch.largest(k) { try $0(self) }
    let taken = search.taken(from: self)
    let found: [(value: Float, index: Int)] = taken.withElements(UInt8.self) { taken in
      converted(to: .float32).withElements(Float.self) { values in
        taken.indices.filter { taken[$0] != 0 }.map { (values[$0], $0) }
      }
    }
    let ranked = found.sorted { $0.value != $1.value ? $0.value > $1.value : $0.index < $1.index }
    return (Tensor(ranked.map(\.value)), Tensor(ranked.map { Int64($0.index) }))
  }

  /// The elements, as float32, in ascending (or descending) order along an axis.
  ///
  /// - Throws: `CompressError` when the axis does not exist or an element is NaN.
  public func sorted(axis: Int = -1, descending: Bool = false) throws -> Tensor {
    try ranked(axis: axis, descending: descending, zeros: .float32) { out, values, order in
      out.withMutable(Float.self) { out in for i in out.indices { out[i] = values[order(i)] } }
    }
  }

  /// The indices along an axis (int64) that sort the elements; equal elements keep their order.
  ///
  /// - Throws: `CompressError` when the axis does not exist or an element is NaN.
  public func argsorted(axis: Int = -1, descending: Bool = false) throws -> Tensor {
    let width = shape.dims.isEmpty ? 1 : shape[try checked(axis: axis)]
    return try ranked(axis: axis, descending: descending, zeros: .int64) { out, _, order in
      out.withMutable(Int64.self) { out in for i in out.indices { out[i] = Int64(order(i) % width) } }
    }
  }

  /// The distinct elements in ascending order, and how often each occurs.
  ///
  /// - Throws: `CompressError` when there are more than `limit` or an element is NaN.
  public func uniqueCounts(limit: Int = 65_536) throws -> [(value: Float, count: Int)] {
    var counts: [Float: Int] = [:]
    try converted(to: .float32).withElements(Float.self) { values in
      for value in values {
        guard !value.isNaN else { throw CompressError("cannot rank NaN") }
        counts[value + 0, default: 0] += 1
        guard counts.count <= limit else { throw CompressError("more than \(limit) distinct values") }
      }
    }
    return counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Sorts each row along the axis; `fill` gets, for each element of the output in the order of rows,
  /// where it comes from in the values in that same order.
  private func ranked(
    axis: Int, descending: Bool, zeros dtype: DType,
    _ fill: (inout Tensor, UnsafeBufferPointer<Float>, (Int) -> Int) -> Void
  ) throws -> Tensor {
    let axis = rank == 0 ? 0 : try checked(axis: axis)
    let axes = (0..<rank).filter { $0 != axis } + (rank == 0 ? [] : [axis])
    let rows = try converted(to: .float32).transposed(axes)
    let width = rank == 0 ? 1 : shape[axis]
    guard width <= UInt32.max else { throw CompressError("cannot sort \(width) values at once") }
    let flip: UInt32 = descending ? .max : 0
    var out = Tensor(zeros: rows.shape, dtype: dtype)
    try rows.withElements(Float.self) { values in
      if let nan = values.firstIndex(where: \.isNaN) {
        throw CompressError("cannot rank NaN, at element \(nan) of a tensor of shape \(shape)")
      }
      // The key above, the index below: one comparison sorts by both.
      var keys = values.indices.map { UInt64(ThresholdSearch.key(values[$0]) ^ flip) << 32 | UInt64($0 % width) }
      for row in stride(from: 0, to: keys.count, by: max(width, 1)) { keys[row..<row + width].sort() }
      fill(&out, values) { i in i / width * width + Int(keys[i] & 0xFFFF_FFFF) }
    }
    let back = (0..<rank).map { original in axes.firstIndex(of: original)! }
    return try out.transposed(back).contiguous()
  }
}
