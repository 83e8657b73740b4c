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
    guard count <= UInt32.max else { throw CompressError("cannot rank \(count) values at once") }
    return try taken.withElements(UInt8.self) { taken in
      try converted(to: .float32).withElements(Float.self) { values in
        // The key above, turned around, the index below: one comparison sorts by both.
        var keys: [UInt64] = []
        keys.reserveCapacity(k)
        for run in Cancellation.runs(taken.count) {
          for i in run where taken[i] != 0 { keys.append(UInt64(~ThresholdSearch.key(values[i])) << 32 | UInt64(i)) }
        }
        try sortKeys(&keys)
        var found = Tensor(zeros: [k]), indices = Tensor(zeros: [k], dtype: .int64)
        keys.withUnsafeBufferPointer { keys in
          indices.withMutable(Int64.self) { Tensor.each(keys, $0) { Int64($0 & 0xFFFF_FFFF) } }
          found.withMutable(Float.self) { Tensor.each(keys, $0) { values[Int($0 & 0xFFFF_FFFF)] } }
        }
        try Cancellation.checkCurrent()
        return (found, indices)
      }
    }
  }

  /// The elements, as float32, in ascending (or descending) order along an axis.
  ///
  /// - Throws: `CompressError` when the axis does not exist or an element is NaN.
  public func sorted(axis: Int = -1, descending: Bool = false) throws -> Tensor {
    try ranked(axis: axis, descending: descending, zeros: .float32) { out, values, order in
      out.withMutable(Float.self) { out in
        for run in Cancellation.runs(out.count) { for i in run { out[i] = values[order(i)] } }
      }
    }
  }

  /// The indices along an axis (int64) that sort the elements; equal elements keep their order.
  ///
  /// - Throws: `CompressError` when the axis does not exist or an element is NaN.
  public func argsorted(axis: Int = -1, descending: Bool = false) throws -> Tensor {
    let width = shape.dims.isEmpty ? 1 : shape[try checked(axis: axis)]
    return try ranked(axis: axis, descending: descending, zeros: .int64) { out, _, order in
      out.withMutable(Int64.self) { out in
        for run in Cancellation.runs(out.count) { for i in run { out[i] = Int64(order(i) % width) } }
      }
    }
  }

  /// Bytes that `sorted`, `argsorted` and `topK` of all elements take at most, their results included.
  public static func sortingBytes(_ shape: Shape) -> Int {
    // In float32 and in rows; keys, twice where they are merged; marks; positions.
    shape.count * (4 + 4 + 8 + 8 + 1 + 8)
  }

  /// The distinct elements in ascending order, and how often each occurs.
  ///
  /// - Throws: `CompressError` when there are more than `limit` or an element is NaN.
  public func uniqueCounts(limit: Int = 65_536) throws -> [(value: Float, count: Int)] {
    var counts: [Float: Int] = [:]
    try converted(to: .float32).withElements(Float.self) { values in
      for run in Cancellation.runs(values.count) {
        for value in values[run] {
          guard !value.isNaN else { throw CompressError("cannot rank NaN") }
          counts[value + 0, default: 0] += 1
          guard counts.count <= limit else { throw CompressError("more than \(limit) distinct values") }
        }
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
      if let nan = try values.firstHeeding(where: \.isNaN) {
        throw CompressError("cannot rank NaN, at element \(nan) of a tensor of shape \(shape)")
      }
      // The key above, the index below: one comparison sorts by both.
      var keys = [UInt64](repeating: 0, count: values.count)
      for run in Cancellation.runs(values.count) {
        for i in run { keys[i] = UInt64(ThresholdSearch.key(values[i]) ^ flip) << 32 | UInt64(i % width) }
      }
      if width == values.count {
        try sortKeys(&keys)
      } else {
        var pace = Cancellation.Pace()
        for row in stride(from: 0, to: keys.count, by: max(width, 1)) {
          try pace.check(after: width * 16)
          if width > sortedAtOnce {
            var line = Array(keys[row..<row + width])
            try sortKeys(&line)
            keys.replaceSubrange(row..<row + width, with: line)
          } else {
            keys[row..<row + width].sort()
          }
        }
      }
      try Cancellation.checkCurrent()
      fill(&out, values) { i in i / width * width + Int(keys[i] & 0xFFFF_FFFF) }
    }
    let back = (0..<rank).map { original in axes.firstIndex(of: original)! }
    return try out.transposed(back).contiguous()
  }
}

/// So many keys the standard library sorts in some milliseconds.
private let sortedAtOnce = 1 << 17

/// Sorts keys of which no two are equal: blocks, which are then merged in pairs, so that a request to stop is heard.
///
/// - Throws: `CompressError` of kind `.cancelled` when it was made; the keys are then in no order.
private func sortKeys(_ keys: inout [UInt64]) throws {
  let count = keys.count
  for block in stride(from: 0, to: count, by: sortedAtOnce) {
    try Cancellation.checkCurrent()
    keys[block..<min(block + sortedAtOnce, count)].sort()
  }
  guard count > sortedAtOnce else { return }
  var merged = [UInt64](repeating: 0, count: count)
  var width = sortedAtOnce
  while width < count {
    try keys.withUnsafeBufferPointer { from in
      try merged.withUnsafeMutableBufferPointer { to in
        for start in stride(from: 0, to: count, by: 2 * width) {
          let middle = min(start + width, count), end = min(start + 2 * width, count)
          var left = start, right = middle
          for place in start..<end {
            if place & 0xF_FFFF == 0 { try Cancellation.checkCurrent() }
            if left < middle, right == end || from[left] < from[right] {
              to[place] = from[left]
              left += 1
            } else {
              to[place] = from[right]
              right += 1
            }
          }
        }
      }
    }
    swap(&keys, &merged)
    width *= 2
  }
}
