import Diagnostics
import Foundation
import Pipeline

/// What goes inside script elements, where HTML's escapes do not hold.
enum ScriptText {
  /// JSON in which no text can end the element, open a comment or break a line of script.
  static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Outside of JSON's strings none of these occur.
    return String(decoding: try encoder.encode(value), as: UTF8.self)
      .replacingScalars([
        "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "\u{2028}": "\\u2028", "\u{2029}": "\\u2029",
      ])
  }

  /// The source expression of a Content-Security-Policy that admits just this script.
  static func policySource(_ script: String) -> String {
    let hex = Array(Digest.of(script).utf8)
    let bytes = stride(from: 0, to: hex.count, by: 2).map { at in
      UInt8(String(decoding: hex[at..<at + 2], as: UTF8.self), radix: 16)!
    }
    return "'sha256-\(Data(bytes).base64EncodedString())'"
  }
}
