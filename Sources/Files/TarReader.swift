import Diagnostics

/// The files in a tar archive (POSIX ustar), gzipped or not, read from front to back.
///
/// Nothing is unpacked by name: the caller says for each regular file what becomes of it. Other entries (folders,
/// links, devices) are passed over, and names that lead elsewhere are an error.
public final class TarReader {
  /// A regular file in the archive.
  public struct Entry: Sendable {
    /// As the archive says, a leading `./` removed.
    public let path: String
    public let size: Int
  }

  private let file: DecodedFile
  private var offset = 0
  /// Bytes of the entry's content, and of the padding behind it, that were not read yet.
  private var remaining = 0
  private var padding = 0

  private static let block = 512

  /// - Throws: `CompressError` when the file cannot be opened.
  public init(_ path: String) throws { file = try DecodedFile(path) }

  /// The next regular file; nil at the end.
  ///
  /// - Throws: `CompressError`, with the archive's name, when it is broken or cut off, or a name is absolute or has
  ///   `..`.
  public func next() throws -> Entry? {
    try atFile(file.path) {
      while true {
        try skip(remaining + padding)
        remaining = 0
        padding = 0
        let start = offset
        guard let header = try readBlock() else {
          throw CompressError("the archive is cut off after \(offset) bytes", kind: .input)
        }
        if header.allSatisfy({ $0 == 0 }) { return nil }
        try Self.check(header, at: start)
        let size = try Self.octal(header[124..<136], "size", at: start)
        guard size <= Int.max - Self.block else { throw CompressError("an entry of \(size) bytes", kind: .input) }
        remaining = size
        padding = (Self.block - size % Self.block) % Self.block
        let path = try Self.path(header, at: start)
        switch header[156] {
        case UInt8(ascii: "0"), 0: return Entry(path: path, size: size)
        case UInt8(ascii: "1"), UInt8(ascii: "2"), UInt8(ascii: "3"), UInt8(ascii: "4"), UInt8(ascii: "5"),
          UInt8(ascii: "6"), UInt8(ascii: "g"):
          continue
        default:
          // Long names and extended headers would change what the next entry means.
          throw CompressError(
            "entry \"\(path.escapedForTerminal)\" is of type \(header[156]), which is not understood", kind: .input)
        }
      }
    }
  }

  /// The content of the entry that `next` gave last, piece by piece.
  public func read(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    try withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { chunk in
      while remaining > 0 {
        let piece = UnsafeMutableRawBufferPointer(rebasing: chunk[..<min(chunk.count, remaining)])
        let count = try file.read(into: piece)
        guard count > 0 else {
          throw CompressError("the archive is cut off after \(offset) bytes", kind: .input).at(file: file.path)
        }
        offset += count
        remaining -= count
        try body(UnsafeRawBufferPointer(rebasing: piece[..<count]))
      }
    }
  }

  private func skip(_ count: Int) throws {
    var left = count
    try withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { chunk in
      while left > 0 {
        let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: chunk[..<min(chunk.count, left)]))
        guard count > 0 else { throw CompressError("the archive is cut off after \(offset) bytes", kind: .input) }
        offset += count
        left -= count
      }
    }
  }

  private func readBlock() throws -> [UInt8]? {
    var block = [UInt8](repeating: 0, count: Self.block)
    let count = try block.withUnsafeMutableBytes { try file.read(into: $0) }
    offset += count
    return count == Self.block ? block : nil
  }

  /// The header's checksum: the sum of its bytes, its own field taken as spaces.
  private static func check(_ header: [UInt8], at offset: Int) throws {
    let expected = try octal(header[148..<156], "checksum", at: offset)
    let sum = header.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element)) }
    guard sum == expected else {
      throw CompressError("at byte \(offset): no tar header (checksum \(sum), not \(expected))", kind: .input)
    }
  }

  private static func octal(_ field: ArraySlice<UInt8>, _ name: String, at offset: Int) throws -> Int {
    let digits = field.drop { $0 == 32 }.prefix { $0 != 32 && $0 != 0 }
    guard !digits.isEmpty, let value = Int(String(decoding: digits, as: UTF8.self), radix: 8), value >= 0 else {
      throw CompressError("at byte \(offset): no tar header (its \(name) is no number)", kind: .input)
    }
    return value
  }

  private static func path(_ header: [UInt8], at offset: Int) throws -> String {
    func text(_ range: Range<Int>) throws -> String {
      guard let text = String(validating: header[range].prefix { $0 != 0 }, as: UTF8.self) else {
        throw CompressError("at byte \(offset): a name that is not UTF-8", kind: .input)
      }
      return text
    }
    var path = try text(0..<100)
    // Only ustar has a prefix there.
    if header[257..<262].elementsEqual("ustar".utf8), header[262] == 0 {
      let prefix = try text(345..<500)
      if !prefix.isEmpty { path = prefix + "/" + path }
    }
    while path.hasPrefix("./") { path.removeFirst(2) }
    guard path.utf8.first != UInt8(ascii: "/"), !path.splitByBytes(at: "/").contains("..") else {
      throw CompressError("entry \"\(path.escapedForTerminal)\" leads out of the archive", kind: .input)
    }
    return path
  }
}
