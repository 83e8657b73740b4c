import Diagnostics
import Files

/// An array in NumPy's format, `.npy` or a member of an `.npz`: its header, and where its elements are.
///
/// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1 to 3. Of the header, a
/// Python dictionary, only literals of the form NumPy writes are understood.
struct NumPyArray: Sendable {
  enum Element: String, CaseIterable, Sendable {
    case u1, u2, u4, u8, i1, i2, i4, i8, f2, f4, f8, b1

    var size: Int { rawValue == "b1" ? 1 : Int(rawValue.dropFirst())! }
    var isInteger: Bool { rawValue.first != "f" }
  }

  let element: Element
  let isBigEndian: Bool
  let dims: [Int]
  /// Whether the first axis is the innermost in the file, not the last. Elements are counted row by row all the same.
  let isFortran: Bool
  /// Of the first element, from the start of the array's bytes.
  let offset: Int

  var count: Int { dims.reduce(1, *) }
  /// Elements in one of `dims[0]`.
  var rowCount: Int { dims.dropFirst().reduce(1, *) }

  private static let longestHeader = 1 << 16

  /// No array's elements begin later.
  static let longestBeginning = 12 + longestHeader

  /// - Parameters:
  ///   - bytes: the beginning of the array, `longestBeginning` of it or all; nothing but the header is looked at.
  ///   - total: bytes of all of it.
  /// - Throws: `CompressError` when the header is broken, names another element type, claims something else than there
  ///   is, or more samples than are read.
  init(_ bytes: UnsafeRawBufferPointer, of total: Int) throws {
    var reader = ByteReader(bytes)
    guard bytes.count >= 10, try reader.slice(6).elementsEqual([0x93] + Array("NUMPY".utf8)) else {
      throw CompressError(
        "no NumPy array" + (FileKind(bytes).map { ": it is \($0.name)" } ?? ": it does not start with \\x93NUMPY"),
        kind: .input, hint: FileKind(bytes)?.hint)
    }
    let version = try reader.u8()
    try reader.skip(1)
    guard (1...3).contains(version) else {
      throw CompressError("a NumPy array of version \(version); 1 to 3 are read", kind: .input)
    }
    let length = version == 1 ? Int(try reader.u16()) : Int(try reader.u32())
    let text = try reader.string(length, limit: Self.longestHeader)
    let header = try NumPyHeader(text)
    let (element, isBigEndian) = try Self.element(header.descriptor)
    var size = element.size
    for dim in header.shape {
      // An empty axis does not excuse the others: sizes are products of them too.
      let (product, overflow) = size.multipliedReportingOverflow(by: max(dim, 1))
      guard !overflow else { throw CompressError("an array of shape \(header.shape) is too large", kind: .input) }
      size = product
    }
    let needed = header.shape.contains(0) ? 0 : size
    guard needed == total - reader.offset else {
      throw CompressError(
        "an array of shape \(header.shape) and type \(header.descriptor) has \(needed) bytes; there are "
          + "\(total - reader.offset)", kind: .input)
    }
    try SampleLimits.check(header.shape)
    self.element = element
    self.isBigEndian = isBigEndian
    dims = header.shape
    isFortran = header.isFortran && header.shape.count { $0 > 1 } > 1
    offset = reader.offset
  }

  private static func element(_ descriptor: String) throws -> (Element, isBigEndian: Bool) {
    guard let order = descriptor.first, "<>|=".contains(order),
      let element = Element(rawValue: String(descriptor.dropFirst()))
    else {
      throw CompressError(
        "elements of type \"\(descriptor.escapedForTerminal.shortened(to: 40))\"; read are "
          + Element.allCases.map(\.rawValue).joined(separator: ", "), kind: .input)
    }
    return (element, order == ">")
  }

  /// Elements `range` as numbers.
  ///
  /// - Precondition: `bytes` are those of `init`, the range is in 0..<count, and `out` has room for it.
  func read(
    _ range: Range<Int>, from bytes: UnsafeRawBufferPointer, to out: UnsafeMutablePointer<Float>
  ) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    func copy<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, _ convert: (T) -> Float) {
      for (k, i) in range.enumerated() { out[k] = convert(load(i, bytes, type)) }
    }
    switch element {
    case .u1, .b1: copy(UInt8.self) { Float($0) }
    case .u2: copy(UInt16.self) { Float($0) }
    case .u4: copy(UInt32.self) { Float($0) }
    case .u8: copy(UInt64.self) { Float($0) }
    case .i1: copy(Int8.self) { Float($0) }
    case .i2: copy(Int16.self) { Float($0) }
    case .i4: copy(Int32.self) { Float($0) }
    case .i8: copy(Int64.self) { Float($0) }
    case .f2: copy(UInt16.self) { Float(Float16(bitPattern: $0)) }
    case .f4: copy(UInt32.self) { Float(bitPattern: $0) }
    case .f8: copy(UInt64.self) { Float(Double(bitPattern: $0)) }
    }
  }

  /// Element `index` of an array of integers; nil when it is beyond an `Int`.
  func integer(_ index: Int, from bytes: UnsafeRawBufferPointer) -> Int? {
    precondition((0..<count).contains(index) && element.isInteger)
    return switch element {
    case .u1, .b1: Int(load(index, bytes, UInt8.self))
    case .u2: Int(load(index, bytes, UInt16.self))
    case .u4: Int(load(index, bytes, UInt32.self))
    case .u8: Int(exactly: load(index, bytes, UInt64.self))
    case .i1: Int(load(index, bytes, Int8.self))
    case .i2: Int(load(index, bytes, Int16.self))
    case .i4: Int(load(index, bytes, Int32.self))
    default: Int(exactly: load(index, bytes, Int64.self))
    }
  }

  /// Where an element counted row by row lies in Fortran order.
  private func place(of index: Int) -> Int {
    var rest = index, place = 0, stride = count
    for extent in dims.reversed() {
      stride /= extent
      place += rest % extent * stride
      rest /= extent
    }
    return place
  }

  private func load<T: FixedWidthInteger & BitwiseCopyable>(
    _ index: Int, _ bytes: UnsafeRawBufferPointer, _ type: T.Type
  ) -> T {
    let raw = bytes.loadUnaligned(
      fromByteOffset: offset + (isFortran ? place(of: index) : index) * MemoryLayout<T>.size, as: T.self)
    return isBigEndian ? T(bigEndian: raw) : T(littleEndian: raw)
  }
}

/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`
struct NumPyHeader {
  private(set) var descriptor = ""
  private(set) var isFortran = false
  private(set) var shape: [Int] = []

  init(_ text: String) throws {
    var scanner = Scanner(text)
    var seen: Set<String> = []
    try scanner.expect("{")
    while !scanner.take("}") {
      let key = try scanner.string()
      try scanner.expect(":")
      switch key {
      case "descr": descriptor = try scanner.string()
      case "fortran_order": isFortran = try scanner.boolean()
      case "shape": shape = try scanner.tuple()
      default: throw Scanner.error("\"\(key.escapedForTerminal.shortened(to: 40))\" is no key of it")
      }
      seen.insert(key)
      if !scanner.take(",") {
        try scanner.expect("}")
        break
      }
    }
    guard seen.count == 3 else { throw Scanner.error("it names \(seen.sorted()), not descr, fortran_order and shape") }
  }

  private struct Scanner {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    static func error(_ text: String) -> CompressError { CompressError("a broken NumPy header: \(text)", kind: .input) }

    private mutating func skipSpace() { rest = rest.drop { $0 == 32 || $0 == 10 } }

    mutating func take(_ text: String) -> Bool {
      skipSpace()
      guard rest.starts(with: text.utf8) else { return false }
      rest = rest.dropFirst(text.utf8.count)
      return true
    }

    mutating func expect(_ text: String) throws {
      guard take(text) else { throw Self.error("\"\(text)\" is missing") }
    }

    mutating func string() throws -> String {
      skipSpace()
      guard let quote = rest.first, quote == 39 || quote == 34 else { throw Self.error("a string is missing") }
      rest = rest.dropFirst()
      let text = rest.prefix { $0 != quote }
      rest = rest.dropFirst(text.count)
      guard !rest.isEmpty else { throw Self.error("a string does not end") }
      rest = rest.dropFirst()
      return String(Substring(text))
    }

    mutating func boolean() throws -> Bool {
      if take("True") { return true }
      guard take("False") else { throw Self.error("fortran_order is neither True nor False") }
      return false
    }

    mutating func tuple() throws -> [Int] {
      try expect("(")
      var values: [Int] = []
      while !take(")") {
        skipSpace()
        let digits = rest.prefix { (48...57).contains($0) }
        guard let value = Int(String(Substring(digits))), values.count < 8 else {
          throw Self.error("its shape has something else than up to 8 numbers")
        }
        values.append(value)
        rest = rest.dropFirst(digits.count)
        if !take(",") {
          try expect(")")
          break
        }
      }
      return values
    }
  }
}
