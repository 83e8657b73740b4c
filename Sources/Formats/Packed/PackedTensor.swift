import CPacked
import Tensors

/// How the elements of one tensor are coded: what they are, and what lies beside what.
struct PackedTensor {
  /// Whose it is, for errors and lists: nil of what belongs to all.
  let layer: String?
  let role: String
  let dtype: DType
  let shape: Shape
  /// What is taken off integers of 8 bits: none, one, or one a row.
  var offsets: [Int16] = []

  var count: Int { shape.count }

  var kind: Int32 {
    let kind =
      switch dtype {
      case .int8: cp_int8
      case .uint8: cp_uint8
      case .int32: cp_int32
      case .float16: cp_float16
      case .bfloat16: cp_bfloat16
      default: cp_float32
      }
    return Int32(kind)
  }

  /// Elements of one index of axis 0, and of the last axis. A vector is one row, unless its elements have a zero point
  /// each.
  private var row: Int {
    shape.dims.count < 2 && offsets.count < 2 ? max(count, 1) : max(count / max(shape.dims[0], 1), 1)
  }
  private var inner: Int { max(shape.dims.last ?? 1, 1) }

  /// Elements from `first` on, which are at `values`.
  ///
  /// - Parameter offsets: the tensor's, where they stay while the piece is used.
  func piece(
    _ values: UnsafeMutableRawPointer?, first: Int, count: Int, offsets: UnsafePointer<Int16>?
  ) -> cp_piece {
    cp_piece(
      values: values, count: UInt64(count), first: UInt64(first), row: UInt64(row), inner: UInt64(inner),
      offsets: offsets, offset_count: UInt64(self.offsets.count), kind: kind)
  }

  /// Elements of a row, for cutting.
  var rowCount: Int { row }
}
