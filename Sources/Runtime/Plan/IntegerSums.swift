import Network
import Tensors

// What a layer with integer weights adds up in int32: the terms are uint8 times int8, or times int8 less a zero point.
extension IntegerValues {
  /// The scale of each output channel.
  package var channelScales: [Float] {
    scales.count == 1 ? [Float](repeating: scales[0], count: values.shape[0]) : scales
  }

  /// Scales of the sums, one per output channel, for inputs of the given scale: `inputScale * scale[c]`
  /// in float32.
  package func sumScales(inputScale: Float) -> [Float] { channelScales.map { inputScale * $0 } }

  /// Whether no sum of products can exceed 32 bits.
  var sumsFit: Bool { largestSum <= Int(Int32.max) }

  /// The bias as int32 with the scales of the sums: `value / scale` rounded to nearest even, computed in
  /// double precision. A bias that is stored with these scales comes out as it is stored. Nil when sums
  /// can exceed 32 bits or a scale is out of all proportion.
  package func bias(_ bias: Encoding?, inputScale: Float) -> [Int32]? {
    let scales = sumScales(inputScale: inputScale)
    guard sumsFit, scales.allSatisfy({ $0.isNormal && $0 <= 0x1p60 }) else { return nil }
    guard let bias else { return [Int32](repeating: 0, count: scales.count) }
    let integers = zip(bias.doubles, scales).map { ($0 / Double($1)).rounded(.toNearestOrEven) }
    guard integers.allSatisfy({ abs($0) <= Double(Int(Int32.max) - largestSum) }) else { return nil }
    return integers.map { Int32($0) }
  }

  private var largestSum: Int { values.count / max(values.shape[0], 1) * 255 * (zeroPoints == nil ? 128 : 255) }
}

extension Encoding {
  /// The values of a vector in double precision: exact for float and, to far below half a step, for int32.
  fileprivate var doubles: [Double] {
    guard case .integer(let integers) = self else { return decoded.array(Float.self).map(Double.init) }
    let scales = integers.scales
    return integers.values.converted(to: .int32).array(Int32.self).enumerated().map { index, q in
      Double(q) * Double(scales[scales.count == 1 ? 0 : index])
    }
  }
}
