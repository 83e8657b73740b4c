/// A file as its publisher made it.
public struct PublishedFile: Sendable {
  public let name: String
  public let bytes: Int
  /// 64 hexadecimal digits.
  public let sha256: String

  public init(_ name: String, bytes: Int, sha256: String) {
    self.name = name
    self.bytes = bytes
    self.sha256 = sha256
  }
}
