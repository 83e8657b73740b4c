import Diagnostics
import Tensors

/// How a parameter's values are stored. Integers are the truth once they are there: they are never
/// derived again from floats.
public enum Encoding: Sendable {
  /// float32, float16 or bfloat16 values.
  case float(Tensor)
  /// Integers with scales: `value = scale * q`, or `scale * (q - zero point)`.
  case integer(IntegerValues)
  /// Positions in a table: `value = table[code]`.
  case codes(CodedValues)

  /// float32 values, decoded if need be.
  public var decoded: Tensor {
    switch self {
    case .float(let tensor): tensor.converted(to: .float32)
    case .integer(let integers): integers.decoded
    case .codes(let coded): coded.decoded
    }
  }

  /// The values as they are stored: floats, integers or codes.
  public var tensor: Tensor {
    switch self {
    case .float(let tensor): tensor
    case .integer(let integers): integers.values
    case .codes(let coded): coded.codes
    }
  }

  public var shape: Shape { tensor.shape }

  /// Bytes the values take in a file, scales or table included; integers and codes of fewer than 8 bits are packed.
  public var byteCount: Int {
    let values = (shape.count * bits + 7) / 8
    return switch self {
    case .float: values
    case .integer(let integers): values + 4 * integers.scales.count + (integers.zeroPoints?.count ?? 0)
    case .codes(let coded): values + 4 * coded.table.count
    }
  }

  /// Bits of one value. In memory integers and codes of fewer than 8 take a byte each.
  public var bits: Int {
    switch self {
    case .float(let tensor): tensor.dtype.size * 8
    case .integer(let integers): integers.bits
    case .codes(let coded): coded.bits
    }
  }

  /// uint8: 1 where a value is not zero.
  public var nonzeroMask: Tensor {
    var mask = Tensor(zeros: shape, dtype: .uint8)
    func fill<T: TensorElement>(_ tensor: Tensor, _ isNonzero: (T) -> Bool) {
      tensor.withElements(T.self) { values in
        mask.withMutable(UInt8.self) { mask in for i in mask.indices { mask[i] = isNonzero(values[i]) ? 1 : 0 } }
      }
    }
    switch self {
    case .float(let tensor) where tensor.dtype == .float16: fill(tensor) { (half: Half) in half.bits & 0x7FFF != 0 }
    case .float(let tensor) where tensor.dtype == .bfloat16:
      fill(tensor) { (value: BFloat) in value.bits & 0x7FFF != 0 }
    case .float(let tensor): fill(tensor) { (value: Float) in value != 0 }
    case .integer(let integers) where integers.bits == 32: fill(integers.values) { (value: Int32) in value != 0 }
    case .integer(let integers) where integers.zeroPoints == nil: fill(integers.values) { (value: Int8) in value != 0 }
    case .integer(let integers):
      mask.withMutable(UInt8.self) { mask in integers.forEachWeight { mask[$0] = $1 == 0 ? 0 : 1 } }
    case .codes(let coded): fill(coded.codes) { (code: UInt8) in coded.table[Int(code)] != 0 }
    }
    return mask
  }

  /// What the summary calls it: `float32`, `int8`, `16 values` …
  public var name: String {
    switch self {
    case .float(let tensor): tensor.dtype.rawValue
    case .integer(let integers): integers.bits == 32 ? "int32" : "int\(integers.bits)"
    case .codes(let coded): "\(coded.table.count) values"
    }
  }
}

/// Integers: `value = scale[c] * (q - zeroPoint[c])`, with one scale for all or one per output channel (axis 0). What
/// is quantized here is symmetric: there is no zero point, and `-q` exists for every q. Zero is exactly zero either way,
/// so a pruned weight stays pruned.
public struct IntegerValues: Sendable {
  /// int8 for weights (2 to 8 bits), int32 for biases.
  public let values: Tensor
  /// One, or as many as axis 0 is long; finite and positive.
  public let scales: [Float]
  /// As many as scales, of weights that came with some from another program; nil of symmetric integers.
  public let zeroPoints: [Int8]?
  public let bits: Int

  /// - Throws: `CompressError` when type, bits, scales, zero points or ranges do not agree.
  public init(values: Tensor, scales: [Float], zeroPoints: [Int8]? = nil, bits: Int) throws {
    guard (values.dtype == .int8 && (2...8).contains(bits)) || (values.dtype == .int32 && bits == 32) else {
      throw CompressError("\(bits)-bit integers stored as \(values.dtype)", kind: .input)
    }
    guard scales.count == 1 || scales.count == (values.shape.dims.first ?? 1) else {
      throw CompressError("\(scales.count) scales for integers of shape \(values.shape)", kind: .input)
    }
    if let bad = scales.first(where: { !$0.isFinite || $0 <= 0 }) {
      throw CompressError("scale \(bad) is not a positive number", kind: .input)
    }
    if let zeroPoints {
      guard bits <= 8 else { throw CompressError("\(bits)-bit integers have no zero points", kind: .input) }
      guard zeroPoints.count == scales.count else {
        throw CompressError("\(zeroPoints.count) zero points for \(scales.count) scales", kind: .input)
      }
      let range = -(1 << (bits - 1))...Self.limit(bits: bits)
      let outside = values.withElements(Int8.self) { $0.first { !range.contains(Int($0)) } }
      if let outside = outside ?? zeroPoints.first(where: { !range.contains(Int($0)) }) {
        throw CompressError(
          "integer \(outside) is outside \(range.lowerBound) to \(range.upperBound) (\(bits) bits)", kind: .input)
      }
    } else if bits <= 8 {
      let limit = Self.limit(bits: bits)
      let outside = values.withElements(Int8.self) { $0.first { abs(Int($0)) > limit } }
      if let outside { throw CompressError("integer \(outside) is outside ±\(limit) (\(bits) bits)", kind: .input) }
    }
    self.values = values
    self.scales = scales
    self.zeroPoints = zeroPoints
    self.bits = bits
  }

  /// The largest magnitude of symmetric integers: 127 for 8 bits, so that `-q` always exists.
  public static func limit(bits: Int) -> Int { (1 << (bits - 1)) - 1 }

  public var decoded: Tensor {
    var out = Tensor(zeros: values.shape)
    let width = values.count / max(scales.count, 1)
    out.withMutable(Float.self) { out in
      if values.dtype == .int8 {
        forEachWeight { out[$0] = Float($1) * scales[$0 / width] }
      } else {
        values.withElements(Int32.self) { q in for i in q.indices { out[i] = Float(q[i]) * scales[i / width] } }
      }
    }
    return out
  }

  /// Every int8 with its position, its zero point taken off.
  public func forEachWeight(_ body: (_ index: Int, _ weight: Int32) -> Void) {
    let width = values.count / max(scales.count, 1)
    values.withElements(Int8.self) { q in
      for row in scales.indices {
        let zero = Int32(zeroPoints?[row] ?? 0)
        for i in row * width..<(row + 1) * width { body(i, Int32(q[i]) - zero) }
      }
    }
  }
}
