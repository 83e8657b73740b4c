import Tensors

/// Element types of files of weights, by the names they have in safetensors files.
public enum ElementType: String, Sendable, CaseIterable {
  case bool = "BOOL"
  case uint8 = "U8", int8 = "I8", uint16 = "U16", int16 = "I16", uint32 = "U32", int32 = "I32"
  case uint64 = "U64", int64 = "I64"
  case float16 = "F16", bfloat16 = "BF16", float32 = "F32", float64 = "F64"

  /// Bytes of one element.
  public var size: Int {
    switch self {
    case .bool, .uint8, .int8: 1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    }
  }

  public var isFloat: Bool {
    switch self {
    case .float16, .bfloat16, .float32, .float64: true
    default: false
    }
  }

  /// The elements, little-endian and at any address, as float32.
  ///
  /// - Precondition: as many bytes as the shape takes.
  func floats(_ bytes: UnsafeRawBufferPointer, _ shape: Shape) -> Tensor {
    precondition(bytes.count == shape.count * size)
    var tensor = Tensor(zeros: shape)
    func read<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type, _ value: (T) -> Float) {
      tensor.withMutable(Float.self) { out in
        for i in out.indices {
          out[i] = value(T(littleEndian: bytes.loadUnaligned(fromByteOffset: i * MemoryLayout<T>.size, as: T.self)))
        }
      }
    }
    switch self {
    case .bool: read(UInt8.self) { $0 == 0 ? 0 : 1 }
    case .uint8: read(UInt8.self) { Float($0) }
    case .int8: read(Int8.self) { Float($0) }
    case .uint16: read(UInt16.self) { Float($0) }
    case .int16: read(Int16.self) { Float($0) }
    case .uint32: read(UInt32.self) { Float($0) }
    case .int32: read(Int32.self) { Float($0) }
    case .uint64: read(UInt64.self) { Float($0) }
    case .int64: read(Int64.self) { Float($0) }
    case .float16: read(UInt16.self) { Float(Half(bits: $0)) }
    case .bfloat16: read(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
    case .float32: read(UInt32.self) { Float(bitPattern: $0) }
    case .float64: read(UInt64.self) { Float(Double(bitPattern: $0)) }
    }
    return tensor
  }
}
