import Diagnostics
import Files

/// A value of a configuration.
enum KerasJSON {
  case null
  case truth(Bool)
  case number(Double)
  case text(String)
  case list([KerasJSON])
  case object([String: KerasJSON])

  /// The configuration of a large network, of some thousand layers.
  private static let mostValues = 1 << 20
  private static let deepest = 96
  private static let longestText = 1 << 20

  /// - Throws: `CompressError` when the text is no JSON, or too much of it.
  static func read(_ bytes: [UInt8]) throws -> KerasJSON {
    try BoundedJSON.check(bytes, values: mostValues, depth: deepest)
    return try bytes.withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      do {
        let json = try value(&scanner)
        if scanner.isAtEnd { return json }
      } catch let error as CompressError where error.kind == .input {}
      throw CompressError("has a configuration that is no JSON", kind: .input)
    }
  }

  /// - Precondition: the text was checked to be no deeper than the stack allows.
  private static func value(_ scanner: inout JSONScanner) throws -> KerasJSON {
    switch scanner.peek() {
    case UInt8(ascii: "{"):
      var fields: [String: KerasJSON] = [:]
      try scanner.object(at: "") { fields[$0] = try value(&$1) }
      return .object(fields)
    case UInt8(ascii: "["):
      _ = scanner.take("[")
      var items: [KerasJSON] = []
      if scanner.take("]") { return .list(items) }
      repeat { items.append(try value(&scanner)) } while scanner.take(",")
      guard scanner.take("]") else { throw JSONScanner.error("", "a list without an end") }
      return .list(items)
    case UInt8(ascii: "\""): return .text(try scanner.string(at: "", limit: longestText))
    default:
      switch try scanner.word(at: "") {
      case "null": return .null
      case "true": return .truth(true)
      case "false": return .truth(false)
      case let word:
        // As Python writes numbers that JSON has none for.
        guard let number = Double(word.replacing("Infinity", with: "inf")) else {
          throw JSONScanner.error("", "is no number")
        }
        return .number(number)
      }
    }
  }

  subscript(_ key: String) -> KerasJSON? {
    guard case .object(let fields) = self, let value = fields[key] else { return nil }
    if case .null = value { return nil }
    return value
  }

  var list: [KerasJSON]? { if case .list(let items) = self { items } else { nil } }
  var text: String? { if case .text(let text) = self { text } else { nil } }
  var number: Double? { if case .number(let number) = self { number } else { nil } }
  var truth: Bool? { if case .truth(let truth) = self { truth } else { nil } }
  var integer: Int? { number.flatMap { Int(exactly: $0) } }
}
