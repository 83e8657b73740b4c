import Diagnostics
import Files
import Network
import Tensors

/// The types of elements that are read, by their numbers in files.
enum ONNXElement: Int {
  case float32 = 1, uint8, int8, uint16, int16, int32, int64
  case bool = 9
  case float16, double, uint32, uint64
  case bfloat16 = 16
  case uint4 = 21, int4
  case uint2 = 25, int2

  var isFloat: Bool {
    switch self {
    case .float32, .float16, .double, .bfloat16: true
    default: false
    }
  }

  /// As an imported model's interface has it.
  var interface: ModelInterface.Element {
    switch self {
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .double: .float64
    case .uint2, .uint4, .uint8: .uint8
    case .int2, .int4, .int8: .int8
    case .uint16: .uint16
    case .int16: .int16
    case .uint32: .uint32
    case .int32: .int32
    case .uint64: .uint64
    case .int64: .int64
    case .bool: .bool
    }
  }

  init(_ element: ModelInterface.Element) {
    self =
      switch element {
      case .float32: .float32
      case .float16: .float16
      case .bfloat16: .bfloat16
      case .float64: .double
      case .uint8: .uint8
      case .int8: .int8
      case .uint16: .uint16
      case .int16: .int16
      case .uint32: .uint32
      case .int32: .int32
      case .uint64: .uint64
      case .int64: .int64
      case .bool: .bool
      }
  }

  /// By how much the engine's integers, which have no sign, lie above those of this type.
  var offset: Int {
    switch self {
    case .int8: 128
    case .int16: 1 << 15
    default: 0
    }
  }

  /// Whether nothing that is added or multiplied comes near its ends, as it does in pixels.
  var isWide: Bool { [.int32, .int64, .uint32, .uint64].contains(self) }

  /// Floats as this type of floats has them.
  func rounded(_ values: Tensor) -> Tensor {
    switch self {
    case .float16: values.converted(to: .float16).converted(to: .float32)
    case .bfloat16: values.converted(to: .bfloat16).converted(to: .float32)
    default: values
    }
  }

  /// Bits of an element.
  var bits: Int {
    switch self {
    case .uint2, .int2: 2
    case .uint4, .int4: 4
    case .uint8, .int8, .bool: 8
    case .uint16, .int16, .float16, .bfloat16: 16
    case .float32, .int32, .uint32: 32
    case .int64, .uint64, .double: 64
    }
  }

  /// Bytes of so many elements, of which there are at most 2^40.
  func byteCount(_ count: Int) -> Int { (count * bits + 7) / 8 }

  /// Elements of less than a byte, the first in the lowest bits.
  ///
  /// - Precondition: there are bytes for all of them.
  func unpacked(_ bytes: [UInt8], count: Int) -> [Int64] {
    let each = 8 / bits
    return (0..<count).map { wrapped(Int64(bytes[$0 / each] >> UInt8($0 % each * bits))) }
  }

  /// The integer as one of this type: what is too large wraps around.
  func wrapped(_ value: Int64) -> Int64 {
    switch self {
    case .uint8: Int64(UInt8(truncatingIfNeeded: value))
    case .int8: Int64(Int8(truncatingIfNeeded: value))
    case .uint16: Int64(UInt16(truncatingIfNeeded: value))
    case .int16: Int64(Int16(truncatingIfNeeded: value))
    case .uint32: Int64(UInt32(truncatingIfNeeded: value))
    case .int32: Int64(Int32(truncatingIfNeeded: value))
    case .uint4: value & 15
    case .int4: (value & 15 ^ 8) - 8
    case .uint2: value & 3
    case .int2: (value & 3 ^ 2) - 2
    case .bool: value == 0 ? 0 : 1
    default: value
    }
  }

  /// - Throws: `CompressError` for types of elements that are not read.
  /// The type that a Cast names.
  init(of node: ONNXNode) throws {
    guard node.attributes["to"]?.integer == nil, let name = node.attributes["to"]?.text else {
      try self.init(checking: Int(clamping: node.integer("to", 0)))
      return
    }
    // Before version 6 by its name.
    let names = [
      "FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "STRING", "BOOL", "FLOAT16", "DOUBLE", "UINT32",
      "UINT64",
    ]
    try self.init(checking: names.firstIndex(of: name.uppercased()).map { $0 + 1 } ?? 0)
  }

  init(checking number: Int) throws {
    guard let element = ONNXElement(rawValue: number) else {
      let names = [
        8: "string", 14: "complex64", 15: "complex128", 17: "float8", 18: "float8", 19: "float8", 20: "float8",
        23: "float4",
      ]
      throw CompressError(
        "elements of type \(names[number] ?? "number \(number)"); read are float32, float16, bfloat16, double, "
          + "int2 to int64, uint2 to uint64 and bool", kind: .input)
    }
    self = element
  }
}

/// A tensor as a file holds it: its bytes stay where they are until somebody asks for the values.
struct ONNXTensorMessage {
  var name = ""
  var dims: [Int64] = []
  var element = 0
  private var raw: ByteReader?
  /// Lists of numbers, as fields of their kind; a list may come in pieces.
  private var pieces: [(field: Int, value: WireReader.Field)] = []
  /// In a file of its own: location, offset, length.
  private(set) var external: [String: String] = [:]
  private var isExternal = false

  init(_ reader: ByteReader) throws {
    var fields = WireReader(reader)
    while let field = try fields.next() {
      switch field.number {
      case 1: try field.append(to: &dims)
      case 2: element = Int(truncatingIfNeeded: try field.integer())
      case 4, 5, 7, 10, 11: pieces.append((field.number, field))
      case 8: name = try field.text()
      case 9: raw = try field.message()
      case 13:
        var entry = WireReader(try field.message()), key = "", value = ""
        while let part = try entry.next() {
          if part.number == 1 { key = try part.text() } else if part.number == 2 { value = try part.text() }
        }
        external[key] = value
      case 14: isExternal = try field.integer() == 1
      default: break
      }
    }
  }

  /// How many elements it says it has.
  var claimedCount: Int {
    dims.reduce(1) { count, extent in
      let (product, overflow) = count.multipliedReportingOverflow(by: Int(extent))
      return overflow ? .max : product
    }
  }

  /// Checks what there is without making values of it.
  ///
  /// - Throws: what `constant` throws of bytes that are not those of its shape and type.
  func check(_ files: ONNXFiles) throws {
    guard let raw, !isExternal else {
      _ = try constant(files)
      return
    }
    try named {
      try ONNXConstant.check(ONNXElement(checking: element), ONNXConstant.checked(dims.map { Int($0) }), raw.bytes)
    }
  }

  private func named<R>(_ body: () throws -> R) throws -> R {
    do { return try body() } catch let error as CompressError {
      var error = error
      error.message = "tensor \"\(name.escapedForTerminal.shortened(to: 120))\": " + error.message
      throw error
    }
  }

  /// The values.
  ///
  /// - Throws: `CompressError` naming the tensor when there are not as many bytes as its shape and type take.
  func constant(_ files: ONNXFiles) throws -> ONNXConstant {
    try named { try read(files) }
  }

  private func read(_ files: ONNXFiles) throws -> ONNXConstant {
    let element = try ONNXElement(checking: element)
    let shape = try ONNXConstant.checked(dims.map { Int($0) })
    if isExternal {
      let (bytes, owner) = try files.external(external, size: element.byteCount(shape.count))
      return try ONNXConstant(element, shape, bytes, owner: owner)
    }
    if let raw { return try ONNXConstant(element, shape, raw.bytes, owner: files.model) }
    return try listed(element, shape)
  }

  /// Of numbers in fields of their kind.
  private func listed(_ element: ONNXElement, _ shape: Shape) throws -> ONNXConstant {
    let wanted =
      switch element {
      case .float32: 4
      case .double: 10
      case .int64: 7
      case .uint32, .uint64: 11
      default: 5
      }
    var integers: [Int64] = [], floats: [Float] = [], doubles: [Double] = []
    for (field, value) in pieces where field == wanted {
      switch field {
      case 4: try value.append(to: &floats)
      case 10: try value.append(to: &doubles)
      default: try value.append(to: &integers)
      }
    }
    if wanted == 10 { floats = doubles.map { Float($0) } }
    switch element {
    case .float16: floats = integers.map { Float(Half(bits: UInt16(truncatingIfNeeded: $0))) }
    case .bfloat16: floats = integers.map { Float(BFloat(bits: UInt16(truncatingIfNeeded: $0))) }
    default: break
    }
    if element.bits < 8 {
      guard integers.count == element.byteCount(shape.count) else {
        throw CompressError("\(integers.count) packed numbers for shape \(shape)", kind: .input)
      }
      let bytes = integers.map { UInt8(truncatingIfNeeded: $0) }
      return ONNXConstant(element, shape, element.unpacked(bytes, count: shape.count))
    }
    let count = element.isFloat ? floats.count : integers.count
    guard count == shape.count else {
      throw CompressError("\(count) numbers for shape \(shape)", kind: .input)
    }
    return element.isFloat
      ? ONNXConstant(element, Tensor(floats, shape)) : ONNXConstant(element, shape, integers.map(element.wrapped))
  }
}
