import Diagnostics
import Network
import Tensors

/// Masks at rest: nothing but a word where the mask says what the values say already, else one bit a weight.
enum PackedMask {
  /// Element i is bit `i % 8` (the least significant first) of byte `i / 8`; bits left over are 0.
  static func pack(_ mask: Tensor) -> Tensor {
    mask.withElements(UInt8.self) { mask in PackedBits.pack(mask.count, bits: 1) { mask[$0] == 0 ? 0 : 1 } }
  }

  /// - Precondition: `packed` has a bit for every element of `shape`.
  static func unpack(_ packed: Tensor, _ shape: Shape) -> Tensor { PackedBits.unpack(packed, shape, bits: 1) }

  /// The mask that keeps the values that are not zero.
  static func nonzero(_ encoding: Encoding) -> Tensor {
    var mask = Tensor(zeros: encoding.shape, dtype: .uint8)
    func fill<T: TensorElement>(_ tensor: Tensor, _ isNonzero: (T) -> Bool) {
      tensor.withElements(T.self) { values in
        mask.withMutable(UInt8.self) { mask in for i in mask.indices { mask[i] = isNonzero(values[i]) ? 1 : 0 } }
      }
    }
    switch encoding {
    case .float(let tensor) where tensor.dtype == .float16: fill(tensor) { (half: Half) in half.bits & 0x7FFF != 0 }
    case .float(let tensor) where tensor.dtype == .bfloat16:
      fill(tensor) { (value: BFloat) in value.bits & 0x7FFF != 0 }
    case .float(let tensor): fill(tensor) { (value: Float) in value != 0 }
    case .integer(let integers) where integers.bits == 32: fill(integers.values) { (value: Int32) in value != 0 }
    case .integer(let integers): fill(integers.values) { (value: Int8) in value != 0 }
    case .codes(let coded): fill(coded.codes) { (code: UInt8) in coded.table[Int(code)] != 0 }
    }
    return mask
  }

  /// Whether two masks keep the same elements.
  static func agree(_ a: Tensor, _ b: Tensor) -> Bool {
    a.withElements(UInt8.self) { a in
      b.withElements(UInt8.self) { b in a.indices.allSatisfy { (a[$0] != 0) == (b[$0] != 0) } }
    }
  }
}
