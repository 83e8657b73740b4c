import Diagnostics
import Foundation
import Tensors

/// What a tensor takes in a packed file, beside what it would take if nothing but the frequencies of its values were
/// known.
public struct PackedCost: Sendable {
  /// nil of what belongs to all layers.
  public let layer: String?
  public let role: String
  public let elements: Int
  public let bits: Int
  /// Bits: the order-0 entropy of its integers, or of the bytes of its floats, place by place.
  public let entropy: Double

  init(_ layout: PackedTensor, _ values: Tensor, bits: Int) {
    layer = layout.layer
    role = layout.role
    elements = layout.count
    self.bits = bits
    entropy = Self.entropy(values)
  }

  private static func entropy(_ tensor: Tensor) -> Double {
    if tensor.dtype == .int32 {
      var counts: [Int32: Int] = [:]
      tensor.withElements(Int32.self) { for value in $0 { counts[value, default: 0] += 1 } }
      // In the order of the counts, so that the sum is the same each time.
      return bits(counts.values.sorted())
    }
    let size = tensor.dtype.size
    return tensor.withBytes { bytes in
      (0..<size).reduce(0) { sum, place in
        var counts = [Int](repeating: 0, count: 256)
        for run in Cancellation.runs(bytes.count / size) {
          for i in run { counts[Int(bytes[i * size + place])] += 1 }
        }
        return sum + Self.bits(counts)
      }
    }
  }

  private static func bits(_ counts: [Int]) -> Double {
    let total = Double(counts.reduce(0, +))
    return counts.reduce(0) { $1 == 0 ? $0 : $0 - Double($1) * log2(Double($1) / total) }
  }
}
