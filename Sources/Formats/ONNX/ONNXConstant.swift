import Diagnostics
import Files
import Tensors

/// A value that is known while a model is read: floats as a tensor, integers and truth values as 64-bit integers.
struct ONNXConstant {
  enum Values {
    case floats(Tensor)
    case integers([Int64])
  }

  /// Stands in shapes for the batch, where that varies. Arithmetic on it is refused but for what leaves it alone.
  static let batch = Int64.min + 0x0BA7

  let element: ONNXElement
  let shape: Shape
  let values: Values
  /// What floats were made of, where that was integers.
  var source: ONNXIntegers?
  /// The bits of those integers, also where floats were only moved since.
  var integerBits: Int?

  init(_ element: ONNXElement, _ floats: Tensor) {
    self.element = element
    shape = floats.shape
    values = .floats(floats)
  }

  init(_ element: ONNXElement, _ shape: Shape, _ integers: [Int64]) {
    self.element = element
    self.shape = shape
    values = .integers(integers)
  }

  /// A shape that a file claims. Where there are no elements no bytes vouch for the other axes: they stay small.
  ///
  /// - Throws: `CompressError` with the numbers when there can be no such shape.
  static func checked(_ dims: [Int]) throws -> Shape {
    let shape = try Shape(checking: dims)
    guard shape.count > 0 || dims.allSatisfy({ $0 <= 1 << 16 }) else {
      throw CompressError("an empty tensor of shape \(shape)", kind: .input)
    }
    return shape
  }

  /// A list of integers, as shapes are.
  init(_ integers: [Int64]) { self.init(.int64, [integers.count], integers) }

  /// - Throws: `CompressError` when there are not as many bytes as shape and type take.
  static func check(_ element: ONNXElement, _ shape: Shape, _ bytes: UnsafeRawBufferPointer) throws {
    guard bytes.count == element.byteCount(shape.count) else {
      throw CompressError(
        "\(bytes.count) bytes for \(shape.count) elements, which take \(element.byteCount(shape.count))", kind: .input)
    }
  }

  /// The bytes of a file, little-endian; float32 that lies aligned is not copied.
  ///
  /// - Throws: `CompressError` when there are not as many bytes as shape and type take.
  init(_ element: ONNXElement, _ shape: Shape, _ bytes: UnsafeRawBufferPointer, owner: AnyObject) throws {
    try Self.check(element, shape, bytes)
    self.element = element
    self.shape = shape
    if element.bits < 8 {
      values = .integers(element.unpacked(Array(bytes), count: shape.count))
      return
    }
    guard element.isFloat else {
      var reader = ByteReader(bytes)
      values = .integers(
        try (0..<shape.count).map { _ in
          switch element {
          case .uint8: Int64(try reader.u8())
          case .bool: try reader.u8() == 0 ? 0 : 1
          case .int8: Int64(Int8(bitPattern: try reader.u8()))
          case .uint16: Int64(try reader.u16())
          case .int16: Int64(Int16(bitPattern: try reader.u16()))
          case .uint32: Int64(try reader.u32())
          case .int32: Int64(try reader.i32())
          default: try reader.i64()
          }
        })
      return
    }
    let type: DType? =
      switch element {
      case .float32: .float32
      case .float16: .float16
      case .bfloat16: .bfloat16
      default: nil
      }
    guard let type else {
      var reader = ByteReader(bytes)
      values = .floats(Tensor(try (0..<shape.count).map { _ in Float(try reader.f64()) }, shape))
      return
    }
    let isAligned = Int(bitPattern: bytes.baseAddress) % type.size == 0
    let tensor =
      isAligned
      ? try Tensor(borrowing: bytes, owner: owner, shape: shape, dtype: type)
      : Tensor(copying: bytes, shape: shape, dtype: type)
    values = .floats(type == .float32 ? tensor : tensor.converted(to: .float32))
    // What was copied need not be in memory twice.
    if !isAligned || type != .float32 { (owner as? MappedFile)?.release(bytes) }
  }

  /// As floats, of whatever type.
  var floats: Tensor {
    switch values {
    case .floats(let tensor): tensor
    case .integers(let integers): Tensor(integers.map { Float($0) }, shape)
    }
  }

  /// As integers.
  ///
  /// - Throws: `CompressError` when they are none.
  func integers() throws -> [Int64] {
    switch values {
    case .integers(let integers): return integers
    case .floats(let tensor):
      return try tensor.array(Float.self).map {
        guard let value = Int64(exactly: $0) else { throw CompressError("\($0) is no integer", kind: .input) }
        return value
      }
    }
  }

  /// As integers that index things here: none that stands for the batch.
  func indices() throws -> [Int] {
    try integers().map {
      guard $0 != Self.batch else { throw CompressError("depends on the size of the batch", kind: .input) }
      return Int($0)
    }
  }

  /// The only element as a float, or nil.
  var scalar: Float? { shape.count == 1 ? floats.array(Float.self)[0] : nil }

  func reshaped(_ shape: Shape) throws -> ONNXConstant {
    guard shape.count == self.shape.count else {
      throw CompressError("cannot reshape \(self.shape) to \(shape)", kind: .input)
    }
    switch values {
    case .floats(let tensor):
      var result = ONNXConstant(element, try tensor.reshaped(shape.dims))
      result.integerBits = integerBits
      return result
    case .integers(let integers): return ONNXConstant(element, shape, integers)
    }
  }

  /// Some of its elements, by their positions.
  func taking(_ positions: [Int], _ shape: Shape) -> ONNXConstant {
    switch values {
    case .floats(let tensor):
      let floats = tensor.withElements(Float.self) { from in positions.map { from[$0] } }
      var result = ONNXConstant(element, Tensor(floats, shape))
      result.integerBits = integerBits
      return result
    case .integers(let integers): return ONNXConstant(element, shape, positions.map { integers[$0] })
    }
  }
}

/// The file of a model, and those beside it that hold its weights.
final class ONNXFiles {
  let model: MappedFile
  private var others: [String: MappedFile] = [:]

  init(_ model: MappedFile) { self.model = model }

  /// Bytes in a file beside the model's.
  ///
  /// - Throws: `CompressError` when the place lies outside the model's folder, or the bytes outside the file.
  func external(_ entries: [String: String], size: Int) throws -> (UnsafeRawBufferPointer, MappedFile) {
    let location = entries["location"] ?? ""
    let shown = location.escapedForTerminal.shortened(to: 120)
    let file: MappedFile
    if let known = others[location] {
      file = known
    } else {
      file = try MappedFile(try Self.path(beside: model.path, location))
      others[location] = file
    }
    let offset = try Self.number(entries["offset"], 0), length = try Self.number(entries["length"], size)
    guard offset >= 0, length >= 0, offset <= file.bytes.count, length <= file.bytes.count - offset else {
      throw CompressError(
        "\(length) bytes from byte \(offset) of \"\(shown)\", which has \(file.bytes.count)", kind: .input)
    }
    return (UnsafeRawBufferPointer(rebasing: file.bytes[offset..<offset + length]), file)
  }

  /// Where a file of weights lies.
  ///
  /// - Throws: `CompressError` when that is outside the model's folder.
  static func path(beside model: String, _ location: String) throws -> String {
    let shown = location.escapedForTerminal.shortened(to: 120)
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    guard !location.isEmpty, !location.hasPrefix("/"), !location.contains("\0"), !parts.contains("..") else {
      throw CompressError("data is said to be in \"\(shown)\", outside the model's folder", kind: .input)
    }
    let folder = model.lastIndex(of: "/").map { String(model[...$0]) } ?? ""
    // A link could lead anywhere.
    try refuseLinks(folder, parts.map(String.init))
    return folder + location
  }

  private static func refuseLinks(_ folder: String, _ parts: [String]) throws {
    var path = folder
    for part in parts {
      path += part
      if Folders.isLink(path) {
        throw CompressError("its data is in \"\(path.escapedForTerminal)\", a symbolic link", kind: .input)
      }
      path += "/"
    }
  }

  private static func number(_ text: String?, _ otherwise: Int) throws -> Int {
    guard let text else { return otherwise }
    guard let number = Int(text) else {
      throw CompressError("\"\(text.escapedForTerminal.shortened(to: 40))\" is no number of bytes", kind: .input)
    }
    return number
  }
}
