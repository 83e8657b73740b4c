import Diagnostics
import Tensors

/// Small numbers at rest, without the bits that they do not need: number i is bits `i * bits` and up, the least
/// significant first, of the bytes taken as one row of bits, the least significant of each first; bits left over are 0.
enum PackedBits {
  /// Bytes that so many numbers take; nil when that is no `Int`.
  static func byteCount(_ count: Int, bits: Int) -> Int? {
    let (product, overflow) = count.multipliedReportingOverflow(by: bits)
    return overflow || product > .max - 7 ? nil : (product + 7) / 8
  }

  /// The low `bits` (1 to 8) of each number.
  static func pack(_ count: Int, bits: Int, _ number: (Int) -> UInt8) -> Tensor {
    var packed = Tensor(zeros: [(count * bits + 7) / 8], dtype: .uint8)
    packed.withMutable(UInt8.self) { packed in
      for run in Cancellation.runs(count) {
        for i in run {
          let place = i * bits, shifted = UInt16(number(i) & UInt8(1 << bits - 1)) << UInt16(place % 8)
          packed[place / 8] |= UInt8(truncatingIfNeeded: shifted)
          if shifted > 255 { packed[place / 8 + 1] |= UInt8(shifted >> 8) }
        }
      }
    }
    return packed
  }

  /// The numbers as uint8, or as int8 when the highest of their bits is a sign.
  ///
  /// - Precondition: `packed` has the bytes that the elements of `shape` take.
  static func unpack(_ packed: Tensor, _ shape: Shape, bits: Int, isSigned: Bool = false) -> Tensor {
    var numbers = Tensor(zeros: shape, dtype: isSigned ? .int8 : .uint8)
    func fill<T: TensorElement>(_ type: T.Type, _ element: (UInt8) -> T) {
      packed.withElements(UInt8.self) { packed in
        numbers.withMutable(T.self) { numbers in
          for run in Cancellation.runs(numbers.count) {
            for i in run {
              let place = i * bits, first = UInt16(packed[place / 8])
              let second = place % 8 + bits > 8 ? UInt16(packed[place / 8 + 1]) << 8 : 0
              numbers[i] = element(
                UInt8(truncatingIfNeeded: (first | second) >> UInt16(place % 8)) & UInt8(1 << bits - 1))
            }
          }
        }
      }
    }
    if isSigned {
      let spare = UInt8(8 - bits)
      fill(Int8.self) { Int8(bitPattern: $0 << spare) >> Int8(spare) }
    } else {
      fill(UInt8.self) { $0 }
    }
    return numbers
  }
}
