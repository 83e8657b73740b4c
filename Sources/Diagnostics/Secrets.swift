/// Credentials in addresses: taken out of every text before it is recorded or shown.
public enum Secrets {
  /// The text without the user and password of addresses in it, and without the values of their queries:
  /// `http://me:word@host/?key=1` becomes `http://host/?key=…`.
  ///
  /// An address is a scheme, `://` and what follows up to white space or a quotation mark. Where a password holds
  /// characters that should have been escaped (`/`, `?`, `#`), more than the password is taken out rather than less.
  public static func removed(from text: String) -> String {
    // By bytes: what is an `@` to a server need not be one `Character`. Most texts hold no address at all.
    let bytes = Array(text.utf8)
    guard find(mark, in: bytes[...]) != nil else { return text }
    var out: [UInt8] = [], rest = bytes[...]
    while let start = find(mark, in: rest) {
      out += rest[..<start]
      rest = rest[(start + mark.count)...]
      let end = rest.firstIndex { $0 <= 0x20 || "\"'<>`".utf8.contains($0) } ?? rest.endIndex
      out += mark + address(rest[..<end])
      rest = rest[end...]
    }
    return String(decoding: out + rest, as: UTF8.self)
  }

  private static let mark = Array("://".utf8)
  private static let hidden = Array("…".utf8)

  private static func find(_ text: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
    var at = bytes.startIndex
    while let start = bytes[at...].firstIndex(of: text[0]) {
      if bytes[start...].starts(with: text) { return start }
      at = start + 1
    }
    return nil
  }

  /// What follows `://`.
  private static func address(_ text: ArraySlice<UInt8>) -> [UInt8] {
    let authority = text.prefix { !"/?#".utf8.contains($0) }
    // A port has digits only: anything else behind a colon belongs to a password.
    let behindColon = authority.firstIndex(of: UInt8(ascii: ":")).map { authority[($0 + 1)...] } ?? []
    let isPassword = !behindColon.allSatisfy { (48...57).contains($0) }
    let at = UInt8(ascii: "@")
    if authority.contains(at) || isPassword, let last = text.lastIndex(of: at) {
      return withoutValues(text[(last + 1)...])
    }
    guard let next = find(mark, in: text) else { return withoutValues(text) }
    return withoutValues(text[..<next]) + mark + address(text[(next + mark.count)...])
  }

  /// Host and path, and of a query and a fragment the names alone.
  private static func withoutValues(_ place: ArraySlice<UInt8>) -> [UInt8] {
    guard let question = place.firstIndex(where: { "?#".utf8.contains($0) }) else { return Array(place) }
    let query = place[(question + 1)...]
    let names = query.split(omittingEmptySubsequences: false) { "&;#".utf8.contains($0) }.map { part -> [UInt8] in
      guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else { return part.isEmpty ? [] : hidden }
      return part[...equals] + hidden
    }
    return place[...question] + Array(names.joined(separator: "&".utf8))
  }
}
