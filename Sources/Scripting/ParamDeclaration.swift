import Diagnostics
import LuaHost
import Reports

/// One declared parameter of a script.
public struct ParamDeclaration: Sendable {
  public let name: String
  public let standard: ParamValue
  public let minimum: Double
  public let maximum: Double
  public let choices: [String]
  /// Whether a number must stay whole, as its default is.
  public let isInteger: Bool

  /// Bytes.
  private static let longestName = 200, longestText = 4096

  init(_ name: String, declared value: LuaValue, _ state: LuaState) throws {
    guard name.utf8.count <= Self.longestName else {
      throw CompressError("the name of a param has \(name.utf8.count) bytes; at most \(Self.longestName) are taken")
    }
    let table = value.table
    let known = ["min", "max", "help", "choices"]
    for key in table?.keys ?? [] where !known.contains(key) {
      throw CompressError(
        "param \"\(name)\": \"\(key.escapedForTerminal)\" says nothing here" + Suggestion.text(for: key, among: known))
    }
    let first = table?[1] ?? value
    isInteger = if case .integer = first { true } else { false }
    guard let standard = ParamValue(first) else {
      throw CompressError("param \"\(name)\" needs a default: a number, a string, true or false")
    }
    if case .string(let text) = standard, text.utf8.count > Self.longestText {
      throw CompressError(
        "param \"\(name)\": a text of \(text.utf8.count) bytes; at most \(Self.longestText) are taken")
    }
    self.name = name
    self.standard = standard
    do {
      minimum = try table?.bound("min") ?? -.infinity
      maximum = try table?.bound("max") ?? .infinity
      guard minimum <= maximum else { throw CompressError("min \(minimum.short) is above max \(maximum.short)") }
    } catch let error as CompressError {
      throw CompressError("param \"\(name.escapedForTerminal)\": \(error.message)")
    }
    choices = table?["choices"].table?.array.compactMap(\.string) ?? []
    try check(standard)
  }

  /// - Parameter source: where the text stands, for messages: the option that was given, or a field of a sweep's file.
  /// - Throws: `CompressError` when the text is no value of the default's type, or out of range.
  public func parse(_ text: String, from source: String = "--set") throws -> ParamValue {
    let value: ParamValue?
    switch standard {
    case .bool: value = ["true": .bool(true), "false": .bool(false)][text]
    case .number: value = Double(text).flatMap { $0.isFinite && (!isInteger || $0 == $0.rounded()) ? .number($0) : nil }
    case .string: value = .string(text)
    }
    guard let value else {
      let kind =
        switch standard {
        case .bool: "true or false"
        case .number: isInteger ? "an integer" : "a number"
        case .string: "a string"
        }
      throw CompressError("\(source) \(name)=\(text.escapedForTerminal): must be \(kind)")
    }
    try check(value)
    return value
  }

  private func check(_ value: ParamValue) throws {
    switch value {
    case .number(let number):
      guard (minimum...maximum).contains(number) else {
        throw CompressError("param \"\(name)\" is \(number.short), outside \(minimum.short) to \(maximum.short)")
      }
    case .string(let text):
      guard choices.isEmpty || choices.contains(text) else {
        throw CompressError(
          "param \"\(name)\" is \"\(text.escapedForTerminal)\", no choice of it"
            + Suggestion.text(for: text, among: choices))
      }
    case .bool: break
    }
  }
}

extension ParamValue {
  init?(_ value: LuaValue) {
    if let bool = value.bool {
      self = .bool(bool)
    } else if let number = value.number, number.isFinite {
      self = .number(number)
    } else if let string = value.string {
      self = .string(string)
    } else {
      return nil
    }
  }

  public var lua: LuaValue {
    switch self {
    case .bool(let value): .bool(value)
    case .number(let value): Int(exactly: value).map { .integer($0) } ?? .number(value)
    case .string(let value): .string(value)
    }
  }
}
