import Diagnostics
import Tensors

/// One weight, bias or statistic of a layer, with what compression has made of it.
public struct Parameter: Sendable {
  public private(set) var encoding: Encoding
  /// Where the pruner keeps the values: uint8, 1 keeps, 0 removed; nil keeps all. Training holds
  /// removed values at zero.
  public private(set) var mask: Tensor?
  /// The form in which the zeros of a masked weight come; nil where none is known.
  public private(set) var structure: SparsityStructure?

  public init(_ values: Tensor) { encoding = .float(values) }

  /// - Throws: `CompressError` when the mask is no uint8 tensor of the parameter's shape; with the position when the
  ///   zeros do not come in the structure.
  public init(_ encoding: Encoding, mask: Tensor? = nil, structure: SparsityStructure? = nil) throws {
    self.encoding = encoding
    try setMask(mask)
    guard let structure else { return }
    try structure.check()
    guard mask != nil else { throw CompressError("zeros that come as \(structure), without a mask", kind: .input) }
    if let found = violation(of: structure) {
      let rule =
        switch structure {
        case .pattern: "\(found.most) may be"
        case .blocks: "all or none may be"
        }
      throw CompressError(
        "zeros are said to come as \(structure), but \(found.left) of \(found.size) weights are left where \(rule) "
          + "(filter \(found.filter + 1), input \(found.input + 1))", kind: .input)
    }
    self.structure = structure
  }

  /// The structure stays if the mask's zeros come in it, too.
  ///
  /// - Throws: `CompressError` when the mask is no uint8 tensor of the parameter's shape.
  public mutating func setMask(_ mask: Tensor?) throws {
    if let mask, mask.dtype != .uint8 || mask.shape != shape {
      throw CompressError("a \(mask.dtype) mask of shape \(mask.shape) for a parameter of shape \(shape)", kind: .input)
    }
    self.mask = mask
    readopt()
  }

  /// Takes on the structure if there is a mask and the zeros come in it; otherwise what it has stays.
  public mutating func adopt(_ structure: SparsityStructure?) {
    guard let structure, mask != nil, violation(of: structure) == nil else { return }
    self.structure = structure
  }

  private mutating func readopt() {
    let known = structure
    structure = nil
    adopt(known)
  }

  private func violation(of structure: SparsityStructure) -> SparsityStructure.Violation? {
    // Rounding to integers makes zeros of its own, and the mask follows: what block they were in is not to be seen.
    if case .blocks = structure, case .integer = encoding { return nil }
    var left = encoding.nonzeroMask
    mask?.withElements(UInt8.self) { mask in
      left.withMutable(UInt8.self) { left in for i in left.indices where mask[i] != 0 { left[i] = 1 } }
    }
    return structure.violation(in: left)
  }

  /// The parameter stored otherwise. Of integers the mask says what the values say: what was rounded to zero is as good
  /// as pruned. The structure stays if the zeros still come in it.
  ///
  /// - Throws: `CompressError` when the shape differs.
  public func encoded(as encoding: Encoding) throws -> Parameter {
    var mask = mask
    if mask != nil, case .integer = encoding { mask = encoding.nonzeroMask }
    var parameter = try Parameter(encoding, mask: mask)
    parameter.adopt(structure)
    return parameter
  }

  /// Puts a mask in force: float values that it removes become zero, in place where nobody else shares them.
  ///
  /// - Throws: `CompressError` when the mask is no uint8 tensor of the parameter's shape or the values are integers.
  public mutating func remove(by mask: Tensor) throws {
    let known = structure
    structure = nil  // until the values are what the mask says
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
    adopt(known)
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
      tensor.withElements(T.self) { elements in
        // Without a check for overflow, which several at once cannot have.
        var nonzero = 0
        for element in elements where element != zero { nonzero &+= 1 }
        return nonzero
      }
    }
    switch encoding {
    case .float(let tensor):
      return switch tensor.dtype {
      case .float16: tensor.withElements(Half.self) { $0.count { $0.bits & 0x7FFF != 0 } }
      case .bfloat16: tensor.withElements(BFloat.self) { $0.count { $0.bits & 0x7FFF != 0 } }
      default: count(tensor, zero: Float(0))
      }
    case .codes(let coded): return coded.nonzeroCount
    case .integer(let integers) where integers.zeroPoints != nil:
      var nonzero = 0
      integers.forEachWeight { nonzero += $1 == 0 ? 0 : 1 }
      return nonzero
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
    case .integer(let integers) where integers.zeroPoints != nil: return nonzeroCount == 0
    case .integer(let integers):
      return integers.values.dtype == .int8 ? isZero(integers.values, Int8(0)) : isZero(integers.values, Int32(0))
    }
  }
}
