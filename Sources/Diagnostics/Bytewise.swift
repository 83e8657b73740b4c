/// Text taken apart by its bytes, as the system, shells and browsers do.
///
/// A `Character` is what a reader sees: a slash and the mark that combines with it are one, and no slash. Whoever looks
/// for a separator by characters overlooks it there; whoever reads the result does not.
extension StringProtocol {
  /// Whether the ASCII character is among the bytes.
  public func containsByte(_ character: Unicode.Scalar) -> Bool { utf8.contains(UInt8(ascii: character)) }

  /// The parts between an ASCII character, empty ones included.
  public func splitByBytes(at character: Unicode.Scalar) -> [String] {
    utf8.split(separator: UInt8(ascii: character), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
  }

  /// The text with each of the scalars exchanged.
  public func replacingScalars(_ replacements: [Unicode.Scalar: String]) -> String {
    guard unicodeScalars.contains(where: { replacements[$0] != nil }) else { return String(self) }
    var out = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      if let replacement = replacements[scalar] {
        out.append(contentsOf: replacement.unicodeScalars)
      } else {
        out.append(scalar)
      }
    }
    return String(out)
  }
}
