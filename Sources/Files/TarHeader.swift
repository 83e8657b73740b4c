/// The block before a regular file in a tar archive (POSIX ustar), for archives that are written as they are sent.
///
/// Of the file follow its bytes and zeros up to a whole number of blocks; the archive ends with two blocks of zeros.
public enum TarHeader {
  public static let block = 512
  /// What an archive ends with.
  public static let end = [UInt8](repeating: 0, count: 2 * block)

  /// Zeros that follow so many bytes.
  public static func padding(behind size: Int) -> [UInt8] {
    [UInt8](repeating: 0, count: (block - size % block) % block)
  }

  /// - Precondition: the name is ASCII of 1 to 99 bytes, and the size has at most 8 GiB.
  public static func bytes(name: String, size: Int, isExecutable: Bool = false) -> [UInt8] {
    precondition((1..<100).contains(name.utf8.count) && (0..<1 << 33).contains(size), "\(name) of \(size) bytes")
    var header = [UInt8](repeating: 0, count: block)
    func put(_ text: String, at offset: Int) {
      header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    }
    func octal(_ value: Int, _ digits: Int) -> String {
      let text = String(value, radix: 8)
      return String(repeating: "0", count: digits - text.count) + text
    }
    put(name, at: 0)
    put(octal(isExecutable ? 0o700 : 0o600, 7), at: 100)
    for owner in [108, 116] { put(octal(0, 7), at: owner) }
    put(octal(size, 11), at: 124)
    put(octal(0, 11), at: 136)
    // While it is summed up the checksum's own field is spaces.
    put("        ", at: 148)
    put("0", at: 156)
    put("ustar", at: 257)
    put("00", at: 263)
    put(octal(header.reduce(0) { $0 + Int($1) }, 6), at: 148)
    header[154] = 0
    return header
  }
}
