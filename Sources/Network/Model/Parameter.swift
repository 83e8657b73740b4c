import Diagnostics
import Tensors

/// One weight, bias or statistic of a layer, with what compression has made of it.
public struct Parameter: Sendable {
  public var encoding: Encoding
  /// Where the pruner keeps the values: uint8, 1 keeps, 0 removed; nil keeps all. Training holds
  /// removed values at zero.
  public private(set) var mask: Tensor?

  public init(_ values: Tensor) { encoding = .float(values) }

  public init(_ encoding: Encoding, mask: Tensor? = nil) throws {
    self.encoding = encoding
    try setMask(mask)
  }

  /// - Throws: `CompressError` when the mask is no uint8 tensor of the parameter's shape.
  public mutating func setMask(_ mask: Tensor?) throws {
    if let mask, mask.dtype != .uint8 || mask.shape != shape {
      throw CompressError("a \(mask.dtype) mask of shape \(mask.shape) for a parameter of shape \(shape)", kind: .input)
    }
    self.mask = mask
  }

  /// Puts a mask in force: float values that it removes become zero, in place where nobody else shares them.
  ///
  /// - Throws: `CompressError` when the mask is no uint8 tensor of the parameter's shape or the values are integers.
  public mutating func remove(by mask: Tensor) throws {
    try setMask(mask)
    var values: Tensor
    switch encoding {
    case .float(let shared): values = shared.converted(to: .float32)
    case .integer, .codes:
      throw CompressError("values stored as \(encoding.name) cannot be pruned; prune first, then quantize")
    }
    encoding = .float(Tensor(zeros: [0]))  // so that the values are not held here as well while they are written
    Self.zero(&values, mask)
    encoding = .float(values)
  }

  private static func zero(_ values: inout Tensor, _ mask: Tensor) {
    mask.withElements(UInt8.self) { mask in
      values.withMutable(Float.self) { values in
        // By bits: the compiler makes vectors of this, but not of a choice between floats by bytes.
        guard let keep = mask.baseAddress, let value = values.baseAddress else { return }
        for i in 0..<values.count {
          value[i] = Float(bitPattern: value[i].bitPattern & (keep[i] == 0 ? 0 : UInt32.max))
        }
      }
    }
  }

  public var shape: Shape { encoding.shape }
  public var count: Int { shape.count }
  /// The values as float32.
  public var values: Tensor { encoding.decoded }

  /// How many stored values are not zero.
  public var nonzeroCount: Int {
    func count<T: TensorElement & Equatable>(_ tensor: Tensor, zero: T) -> Int {
      tensor.withElements(T.self) { $0.count { $0 != zero } }
    }
    switch encoding {
    case .float(let tensor):
      return switch tensor.dtype {
      case .float16: tensor.withElements(Half.self) { $0.count { $0.bits & 0x7FFF != 0 } }
      case .bfloat16: tensor.withElements(BFloat.self) { $0.count { $0.bits & 0x7FFF != 0 } }
      default: count(tensor, zero: Float(0))
      }
    case .codes(let coded): return coded.nonzeroCount
    case .integer(let integers):
      return integers.values.dtype == .int8
        ? count(integers.values, zero: Int8(0)) : count(integers.values, zero: Int32(0))
    }
  }

  /// Whether nothing but zeros is stored; looks no further than to the first value that is none.
  public var isAllZero: Bool {
    func isZero<T: TensorElement & Equatable>(_ tensor: Tensor, _ zero: T) -> Bool {
      tensor.withElements(T.self) { $0.allSatisfy { $0 == zero } }
    }
    switch encoding {
    case .float(let tensor):
      return switch tensor.dtype {
      case .float16: tensor.withElements(Half.self) { $0.allSatisfy { $0.bits & 0x7FFF == 0 } }
      case .bfloat16: tensor.withElements(BFloat.self) { $0.allSatisfy { $0.bits & 0x7FFF == 0 } }
      default: isZero(tensor, Float(0))
      }
    case .codes(let coded): return coded.nonzeroCount == 0
    case .integer(let integers):
      return integers.values.dtype == .int8 ? isZero(integers.values, Int8(0)) : isZero(integers.values, Int32(0))
    }
  }
}
