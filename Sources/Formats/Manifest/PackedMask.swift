import Diagnostics
import Tensors

/// Masks at rest: nothing but a word where the mask says what the values say already, else one bit a weight.
enum PackedMask {
  /// Element i is bit `i % 8` (the least significant first) of byte `i / 8`; bits left over are 0.
  static func pack(_ mask: Tensor) -> Tensor {
    mask.withElements(UInt8.self) { mask in PackedBits.pack(mask.count, bits: 1) { mask[$0] == 0 ? 0 : 1 } }
  }

  /// - Precondition: `packed` has a bit for every element of `shape`.
  static func unpack(_ packed: Tensor, _ shape: Shape) -> Tensor { PackedBits.unpack(packed, shape, bits: 1) }

  /// Whether two masks keep the same elements.
  static func agree(_ a: Tensor, _ b: Tensor) -> Bool {
    a.withElements(UInt8.self) { a in
      b.withElements(UInt8.self) { b in a.indices.allSatisfy { (a[$0] != 0) == (b[$0] != 0) } }
    }
  }

  /// uint8: 1 where two masks differ. Of a mask and such a difference it is the other mask.
  static func difference(_ a: Tensor, _ b: Tensor) -> Tensor {
    var difference = Tensor(zeros: a.shape, dtype: .uint8)
    a.withElements(UInt8.self) { a in
      b.withElements(UInt8.self) { b in
        difference.withMutable(UInt8.self) { out in for i in out.indices { out[i] = (a[i] != 0) == (b[i] != 0) ? 0 : 1 } }
      }
    }
    return difference
  }
}
