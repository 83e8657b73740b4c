import Diagnostics

/// What a header says, not yet believed.
///
/// It is read in one pass that keeps nothing but the tensors, so that a header of 100 MB costs what it names rather
/// than a tree of everything in it.
struct SafeTensorsHeader {
  struct Entry: Codable {
    let dtype: String
    let shape: [Int]
    let offsets: [Int]

    private enum CodingKeys: String, CodingKey { case dtype, shape, offsets = "data_offsets" }
  }

  /// By name.
  let tensors: [(String, Entry)]
  let metadata: [String: String]

  static let metadataKey = "__metadata__"
  static let mostTensors = TensorEntry.most
  static let longestName = TensorEntry.longestName
  /// Bytes of all metadata.
  static let longestMetadata = 16 << 20
  /// Numbers of a shape; `Shape` takes fewer.
  private static let mostAxes = 64

  /// - Throws: `CompressError` saying what is wrong with the JSON, or of kind `.limit` when it names too much.
  init(json: UnsafeRawBufferPointer) throws {
    var scanner = JSONScanner(json), tensors: [(String, Entry)] = [], metadata: [String: String]?
    try scanner.object(at: "") { name, scanner in
      if name == Self.metadataKey {
        guard metadata == nil else { throw JSONScanner.error(name, "is there twice") }
        metadata = try Self.metadata(&scanner)
        return
      }
      guard tensors.count < Self.mostTensors else {
        throw CompressError("has more than \(Self.mostTensors) tensors", kind: .limit)
      }
      tensors.append((name, try Self.entry(name, &scanner)))
    }
    guard scanner.isAtEnd else { throw JSONScanner.error("", "is no JSON that means anything here") }
    tensors.sort { $0.0 < $1.0 }
    for (first, second) in zip(tensors, tensors.dropFirst()) where first.0 == second.0 {
      throw JSONScanner.error(first.0, "is there twice")
    }
    self.tensors = tensors
    self.metadata = metadata ?? [:]
  }

  private static func metadata(_ scanner: inout JSONScanner) throws -> [String: String] {
    var texts: [String: String] = [:], bytes = 0
    try scanner.object(at: metadataKey) { key, scanner in
      let text = try scanner.string(at: "\(metadataKey).\(key)", limit: longestMetadata)
      bytes += key.utf8.count + text.utf8.count + 64
      guard bytes <= longestMetadata else {
        throw CompressError("has metadata of more than \(longestMetadata) bytes", kind: .limit)
      }
      texts[key] = text
    }
    return texts
  }

  private static func entry(_ name: String, _ scanner: inout JSONScanner) throws -> Entry {
    var dtype: String?, shape: [Int]?, offsets: [Int]?
    try scanner.object(at: name) { field, scanner in
      switch field {
      case "dtype": dtype = try scanner.string(at: "\(name).dtype", limit: longestName)
      case "shape": shape = try scanner.integers(at: "\(name).shape", limit: mostAxes)
      case "data_offsets": offsets = try scanner.integers(at: "\(name).data_offsets", limit: mostAxes)
      default: try scanner.skip(at: "\(name).\(field)")
      }
    }
    func needed<T>(_ value: T?, _ field: String) throws -> T {
      guard let value else { throw JSONScanner.error(name, "\"\(field)\" is missing") }
      return value
    }
    return Entry(
      dtype: try needed(dtype, "dtype"), shape: try needed(shape, "shape"),
      offsets: try needed(offsets, "data_offsets"))
  }
}

/// Reads JSON from front to back; what is wanted is asked for, the rest is passed over.
///
/// It stands here since headers are what it was made for; configurations of Keras are read with it, too.
struct JSONScanner {
  private let bytes: UnsafeRawBufferPointer
  private var at = 0

  /// Lists and objects inside each other.
  private static let deepest = 16

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  static func error(_ place: String, _ what: String) -> CompressError {
    let place = place.isEmpty ? "" : "\(place.escapedForTerminal.shortened(to: 200)): "
    return CompressError("has a broken header: \(place)\(what)", kind: .input)
  }

  private static func meaningless(_ place: String) -> CompressError {
    error(place, "is no JSON that means anything here")
  }

  /// The next byte that is no white space, not taken; nil at the end.
  mutating func peek() -> UInt8? {
    while at < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[at]) { at += 1 }
    return at < bytes.count ? bytes[at] : nil
  }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    at += 1
    return true
  }

  var isAtEnd: Bool {
    mutating get { peek() == nil }
  }

  /// Hands out the name of each field; `body` takes its value.
  mutating func object(at place: String, _ body: (String, inout JSONScanner) throws -> Void) throws {
    guard take("{") else { throw peek() == nil ? Self.meaningless(place) : Self.error(place, "is no object") }
    if take("}") { return }
    repeat {
      let name = try string(at: place, limit: SafeTensorsHeader.longestName)
      guard take(":") else { throw Self.meaningless(place) }
      try body(name, &self)
    } while take(",")
    guard take("}") else { throw Self.meaningless(place) }
  }

  /// A list of whole numbers.
  mutating func integers(at place: String, limit: Int) throws -> [Int] {
    guard take("[") else { throw Self.error(place, "is no list of numbers") }
    var values: [Int] = []
    if take("]") { return values }
    repeat {
      _ = peek()
      let start = at
      while at < bytes.count, bytes[at] == UInt8(ascii: "-") || (48...57).contains(bytes[at]) { at += 1 }
      let digits = UnsafeRawBufferPointer(rebasing: bytes[start..<at])
      guard digits.count <= 20, let value = Int(String(decoding: digits, as: UTF8.self)) else {
        throw Self.error(place, "is no list of whole numbers")
      }
      guard values.count < limit else { throw Self.error(place, "has more than \(limit) numbers") }
      values.append(value)
    } while take(",")
    guard take("]") else { throw Self.error(place, "is no list of whole numbers") }
    return values
  }

  /// - Parameter limit: bytes.
  mutating func string(at place: String, limit: Int) throws -> String {
    let range = try rawString(at: place)
    guard range.count <= limit else {
      throw CompressError("has a text of \(range.count) bytes in its header; at most \(limit) are read", kind: .limit)
    }
    let raw = UnsafeRawBufferPointer(rebasing: bytes[range])
    var text: String?
    if raw.contains(UInt8(ascii: "\\")) {
      text = try unescaped(raw, at: place)
    } else {
      text = String(validating: raw, as: UTF8.self)
    }
    guard let text else { throw Self.error(place, "is no UTF-8 text") }
    return text
  }

  /// Between the quotes, escapes as they are.
  private mutating func rawString(at place: String) throws -> Range<Int> {
    guard take("\"") else { throw peek() == nil ? Self.meaningless(place) : Self.error(place, "is no text") }
    let start = at
    while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
      guard bytes[at] >= 0x20 else { throw Self.meaningless(place) }
      at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1
    }
    guard at < bytes.count else { throw Self.meaningless(place) }
    at += 1
    return start..<(at - 1)
  }

  private func unescaped(_ raw: UnsafeRawBufferPointer, at place: String) throws -> String? {
    var units: [UInt8] = [], i = 0
    func code(_ start: Int) throws -> UInt32 {
      guard start + 4 <= raw.count,
        let value = UInt32(String(decoding: raw[start..<(start + 4)], as: UTF8.self), radix: 16)
      else { throw Self.meaningless(place) }
      return value
    }
    let plain: [UInt8: UInt8] = [
      UInt8(ascii: "n"): 10, UInt8(ascii: "t"): 9, UInt8(ascii: "r"): 13, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12,
      UInt8(ascii: "\""): 34, UInt8(ascii: "\\"): 92, UInt8(ascii: "/"): 47,
    ]
    while i < raw.count {
      guard raw[i] == UInt8(ascii: "\\") else {
        units.append(raw[i])
        i += 1
        continue
      }
      guard i + 1 < raw.count else { throw Self.meaningless(place) }
      if let byte = plain[raw[i + 1]] {
        units.append(byte)
        i += 2
        continue
      }
      guard raw[i + 1] == UInt8(ascii: "u") else { throw Self.meaningless(place) }
      var value = try code(i + 2)
      i += 6
      if (0xD800..<0xDC00).contains(value), i + 1 < raw.count, raw[i] == UInt8(ascii: "\\"),
        raw[i + 1] == UInt8(ascii: "u")
      {
        let low = try code(i + 2)
        guard (0xDC00..<0xE000).contains(low) else { throw Self.meaningless(place) }
        value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        i += 6
      }
      guard let scalar = Unicode.Scalar(value) else { throw Self.meaningless(place) }
      units += Array(String(Character(scalar)).utf8)
    }
    return String(validating: units, as: UTF8.self)
  }

  /// Passes over a value of any kind.
  mutating func skip(at place: String, depth: Int = 0) throws {
    guard depth < Self.deepest else { throw Self.error(place, "is nested too deep") }
    switch peek() {
    case UInt8(ascii: "\""): _ = try rawString(at: place)
    case UInt8(ascii: "{"):
      at += 1
      if take("}") { return }
      repeat {
        _ = try rawString(at: place)
        guard take(":") else { throw Self.meaningless(place) }
        try skip(at: place, depth: depth + 1)
      } while take(",")
      guard take("}") else { throw Self.meaningless(place) }
    case UInt8(ascii: "["):
      at += 1
      if take("]") { return }
      repeat { try skip(at: place, depth: depth + 1) } while take(",")
      guard take("]") else { throw Self.meaningless(place) }
    default:
      let word = try word(at: place)
      guard ["true", "false", "null"].contains(word) || Double(word) != nil else { throw Self.meaningless(place) }
    }
  }

  /// A number, or a value with a name.
  mutating func word(at place: String) throws -> String {
    _ = peek()
    let start = at
    while at < bytes.count, bytes[at] > 0x20, !",]}:\"{[".utf8.contains(bytes[at]) { at += 1 }
    guard at - start < 64 else { throw Self.meaningless(place) }
    return String(decoding: bytes[start..<at], as: UTF8.self)
  }
}
