import Diagnostics

/// Where a device is reached: `ssh://[USER@]HOST[:PORT]`. What it is made of can be handed to ssh as it is.
public struct DeviceAddress: Sendable, Equatable, CustomStringConvertible {
  public let user: String?
  public let host: String
  public let port: Int?

  private static let scheme = "ssh://", longest = 255

  /// - Throws: `CompressError` saying what of it is no address.
  public init(_ text: String) throws {
    func wrong(_ what: String) -> CompressError {
      CompressError(
        "\"\(text.escapedForTerminal.shortened(to: 100))\" is no address of a device: \(what)",
        hint: "ssh://HOST, ssh://USER@HOST or ssh://USER@HOST:PORT")
    }
    guard text.hasPrefix(Self.scheme) else { throw wrong("it does not begin with \(Self.scheme)") }
    var rest = text.dropFirst(Self.scheme.count)
    guard rest.utf8.count <= Self.longest else { throw wrong("it is too long") }
    if let at = rest.lastIndex(of: "@") {
      let name = rest[..<at]
      guard !name.contains(":") else { throw wrong("passwords are not taken: ssh has keys") }
      guard Self.isName(name) else {
        throw wrong("its user is not made of letters, digits, \"_\", \".\" and \"-\" in between")
      }
      user = String(name)
      rest = rest[rest.index(after: at)...]
    } else {
      user = nil
    }
    var number: Substring?
    if rest.hasPrefix("[") {
      guard let end = rest.firstIndex(of: "]") else { throw wrong("a bracket is not closed") }
      let inner = rest[rest.index(after: rest.startIndex)..<end]
      guard inner.contains(":"), inner.allSatisfy({ $0.isASCII && ($0.isHexDigit || ":.".contains($0)) }) else {
        throw wrong("in brackets there is no IPv6 address")
      }
      host = String(inner)
      rest = rest[rest.index(after: end)...]
      if !rest.isEmpty {
        guard rest.first == ":" else { throw wrong("something follows the bracket") }
        number = rest.dropFirst()
      }
    } else {
      if let colon = rest.firstIndex(of: ":") {
        number = rest[rest.index(after: colon)...]
        rest = rest[..<colon]
      }
      guard Self.isName(rest) else {
        throw wrong("its host is not made of letters, digits, \"_\", \".\" and \"-\" in between")
      }
      host = String(rest)
    }
    port = try number.map { digits in
      guard digits.utf8.count <= 5, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let port = Int(digits),
        (1...65535).contains(port)
      else { throw wrong("its port is not from 1 to 65535") }
      return port
    }
  }

  /// What begins with `-` would be an option to ssh.
  private static func isName(_ text: Substring) -> Bool {
    text.first.map { $0 != "-" } ?? false
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) }
  }

  public var description: String {
    Self.scheme + (user.map { $0 + "@" } ?? "") + (host.contains(":") ? "[\(host)]" : host)
      + (port.map { ":\($0)" } ?? "")
  }
}
