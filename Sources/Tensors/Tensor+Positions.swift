import Diagnostics

// Elements by their positions in row-major order, as int64: float32 counts no further than 2^24.
extension Tensor {
  /// The elements at `positions` (int64, from 0), in their shape.
  ///
  /// - Throws: `CompressError` when a position is outside the tensor.
  public func taking(_ positions: Tensor) throws -> Tensor {
    var out = Tensor(zeros: positions.shape, dtype: dtype)
    try positions.withPositions(below: count) { positions in
      func gather<T: TensorElement>(_: T.Type) {
        withElements(T.self) { from in
          out.withMutable(T.self) { Tensor.each(positions, $0) { from[Int($0)] } }
        }
      }
      switch dtype {
      case .float32: gather(Float.self)
      case .float16: gather(Half.self)
      case .bfloat16: gather(BFloat.self)
      case .int8: gather(Int8.self)
      case .uint8: gather(UInt8.self)
      case .int32: gather(Int32.self)
      case .int64: gather(Int64.self)
      }
    }
    return out
  }

  /// The same tensor as float32 with `values` at `positions` (int64, from 0); where a position is named twice the
  /// later value stays.
  ///
  /// - Throws: `CompressError` when a position is outside the tensor, or there is not one value for each.
  public func putting(_ values: Tensor, at positions: Tensor) throws -> Tensor {
    guard values.count == positions.count else {
      throw CompressError("\(values.count) values for \(positions.count) positions")
    }
    var out = converted(to: .float32)
    try positions.withPositions(below: count) { positions in
      values.converted(to: .float32).withElements(Float.self) { values in
        out.withMutable(Float.self) { out in
          for run in Cancellation.runs(values.count) {
            for i in run { out[Int(positions[i])] = values[i] }
          }
        }
      }
    }
    return out
  }

  /// Running sums over all elements in row-major order, or along an axis: float32, accumulated in double precision.
  ///
  /// - Throws: `CompressError` when the axis does not exist.
  public func runningSums(axis: Int? = nil) throws -> Tensor {
    let axis = try axis.map { try checked(axis: $0) }
    let order = axis.map { axis in (0..<rank).filter { $0 != axis } + [axis] } ?? Array(0..<rank)
    let rows = try converted(to: .float32).transposed(order)
    let width = axis.map { shape[$0] } ?? count
    var out = Tensor(zeros: rows.shape)
    rows.withElements(Float.self) { values in
      out.withMutable(Float.self) { out in
        var sum = 0.0
        for run in Cancellation.runs(out.count) {
          for i in run {
            if i % width == 0 { sum = 0 }
            sum += Double(values[i])
            out[i] = Float(sum)
          }
        }
      }
    }
    let back = (0..<rank).map { original in order.firstIndex(of: original)! }
    return try out.transposed(back).contiguous()
  }

  /// The same integers, each `n` greater: int64, exact.
  ///
  /// - Throws: `CompressError` when an element is no integer, or a float32 beyond 2^24, where not every integer is one.
  public func integers(adding n: Int) throws -> Tensor {
    if dtype.isFloat {
      try converted(to: .float32).withElements(Float.self) { values in
        guard
          let bad = try values.firstHeeding(where: {
            $0 != $0.rounded(.towardZero) || $0.magnitude > 0x1p24 || $0.isNaN
          }).map({ values[$0] })
        else { return }
        throw CompressError(
          bad.magnitude > 0x1p24
            ? "float32 cannot tell positions beyond 2^24 apart; let them stay int64" : "\(bad) is no integer")
      }
    }
    var out = converted(to: .int64)
    out.withMutable(Int64.self) { out in
      for run in Cancellation.runs(out.count) {
        for i in run { out[i] &+= Int64(n) }
      }
    }
    return out
  }

  private func withPositions<R>(
    below limit: Int, _ body: (UnsafeBufferPointer<Int64>) throws -> R
  ) throws -> R {
    try withElements(Int64.self) { positions in
      // Positions that were not all looked at are not used.
      if let bad = try positions.firstHeeding(where: { $0 < 0 || $0 >= Int64(limit) }).map({ positions[$0] }) {
        throw CompressError("position \(bad &+ 1) is outside a tensor of \(limit) elements")
      }
      return try body(positions)
    }
  }
}

extension UnsafeBufferPointer {
  /// The first index whose element is one that is looked for.
  ///
  /// - Throws: `CompressError` of kind `.cancelled` when stopped on request, so that nil means that there is none.
  @inline(__always)
  func firstHeeding(where isWanted: (Element) -> Bool) throws -> Int? {
    var next = 0
    for run in Cancellation.runs(count) {
      for i in run where isWanted(self[i]) { return i }
      next = run.upperBound
    }
    guard next == count else { throw Cancellation.error }
    return nil
  }
}
