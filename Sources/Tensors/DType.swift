/// The element types a tensor can have.
public enum DType: String, Sendable, Codable, CaseIterable {
  case float32, float16, bfloat16
  case int8, uint8, int32, int64

  /// Bytes per element.
  public var size: Int {
    switch self {
    case .int8, .uint8: 1
    case .float16, .bfloat16: 2
    case .float32, .int32: 4
    case .int64: 8
    }
  }

  public var isFloat: Bool { self == .float32 || self == .float16 || self == .bfloat16 }
}

/// A Swift type that a tensor can hold.
public protocol TensorElement: Sendable, BitwiseCopyable {
  static var dtype: DType { get }
}

extension Float: TensorElement { public static var dtype: DType { .float32 } }
extension Int8: TensorElement { public static var dtype: DType { .int8 } }
extension UInt8: TensorElement { public static var dtype: DType { .uint8 } }
extension Int32: TensorElement { public static var dtype: DType { .int32 } }
extension Int64: TensorElement { public static var dtype: DType { .int64 } }

/// IEEE half precision as bits: storage only, converted by `Tensor.converted(to:)`. (Swift has no
/// portable `Float16`: it is absent on x86-64 macOS.)
public struct Half: TensorElement, Hashable {
  public static var dtype: DType { .float16 }
  public var bits: UInt16
  public init(bits: UInt16) { self.bits = bits }
}

/// The upper half of a float32, as bits: storage only, like `Half`.
public struct BFloat: TensorElement, Hashable {
  public static var dtype: DType { .bfloat16 }
  public var bits: UInt16
  public init(bits: UInt16) { self.bits = bits }
}
