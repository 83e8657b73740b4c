import Diagnostics
import LuaHost
import Pipeline

/// The options a function or a plugin takes. One table serves checking, help and editor stubs.
struct OptionSchema {
  struct Option {
    let name: String
    let type: OptionType
    var help = ""
    /// Used when the script does not give one.
    var standard: OptionValue?
    var isRequired = false
    var minimum = -Double.infinity
    var maximum = Double.infinity
  }

  /// What editors call a table of these options; empty for a plugin's.
  let name: String
  let options: [Option]

  init(_ name: String, _ options: [any DeclaredOption]) {
    self.name = name
    self.options = options.map(\.option)
  }

  /// Checks a table of named options.
  ///
  /// - Parameter positional: whether the table may also have an array part, which the caller reads itself.
  /// - Throws: `CompressError` naming the option: unknown (with the nearest name), missing, of the wrong type, or
  ///   out of range.
  func read(_ table: LuaTable?, positional: Bool = false) throws -> OptionValues {
    var values: [String: OptionValue] = [:]
    for (key, value) in table?.pairs ?? [] {
      guard let name = key.string else {
        if positional, key.integer != nil { continue }
        throw CompressError("options are named: write name = value")
      }
      guard let option = options.first(where: { $0.name == name }) else {
        throw CompressError(
          "there is no option \"\(name.escapedForTerminal)\"" + Suggestion.text(for: name, among: options.map(\.name)))
      }
      values[name] = try read(value, option)
    }
    for option in options where values[option.name] == nil {
      if let standard = option.standard {
        values[option.name] = standard
      } else if option.isRequired {
        throw CompressError("option \"\(option.name)\" is missing: \(option.type.description)")
      }
    }
    return OptionValues(values, of: options.map(\.name))
  }

  private func read(_ value: LuaValue, _ option: Option) throws -> OptionValue {
    let result: OptionValue?
    do { result = try option.type.read(value) } catch let error as CompressError {
      throw CompressError("option \"\(option.name)\": \(error.message)", kind: error.kind, hint: error.hint)
    }
    guard let result else {
      throw CompressError("option \"\(option.name)\" must be \(option.type.description), not \(value.typeName)")
    }
    do { try option.check(result) } catch let error as CompressError {
      throw CompressError("option \"\(option.name)\" \(error.message)")
    }
    return result
  }
}

extension OptionSchema.Option {
  /// - Throws: `CompressError` saying what it must be when a number is out of range.
  func check(_ value: OptionValue) throws {
    for number in value.allNumbers where number.isNaN || !(minimum...maximum).contains(number) {
      let range =
        number.isNaN
        ? "a number"
        : maximum.isInfinite
          ? "at least \(minimum.short)"
          : minimum.isInfinite
            ? "at most \(maximum.short)"
            : "from \(minimum.short) to \(maximum.short)"
      throw CompressError("must be \(range), not \(number.short)")
    }
  }
}

/// Options after checking: of the vocabulary read by `OptionKey`, those that plugins declare by name.
struct OptionValues {
  private let values: [String: OptionValue]
  /// Of the schema they were read by.
  private let names: [String]

  fileprivate init(_ values: [String: OptionValue], of names: [String]) {
    self.values = values
    self.names = names
  }

  subscript(name: String) -> OptionValue? { values[name] }

  /// Whether the schema has such an option.
  func isKnown(_ name: String) -> Bool { names.contains(name) }

  /// Whether an option has a value: the script's or the standard one.
  func has(_ key: any DeclaredOption) -> Bool { values[key.option.name] != nil }

  /// As a Lua table, for plugins.
  func lua(_ state: LuaState) throws -> LuaTable {
    let table = try state.makeTable()
    for (name, value) in values.sorted(by: { $0.key < $1.key }) { try table.set(name, value.lua(state)) }
    return table
  }

  func recipe() throws -> Recipe { .map(try values.mapValues { try $0.recipe() }) }
}

extension OptionValue {
  var number: Double? {
    switch self {
    case .number(let value): value
    case .integer(let value): Double(value)
    default: nil
    }
  }
  var string: String? { if case .string(let value) = self { value } else { nil } }
  var strings: [String]? { if case .strings(let values) = self { values } else { nil } }
  var numbers: [Double]? { if case .numbers(let values) = self { values } else { nil } }

  fileprivate var allNumbers: [Double] {
    switch self {
    case .integer(let value): [Double(value)]
    case .number(let value): [value]
    case .numbers(let values): values
    case .numberLists(let lists): lists.flatMap { $0 }
    default: []
    }
  }
}

extension LuaValue {
  /// For errors: what was given instead.
  var typeName: String {
    switch self {
    case .nil: "nil"
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value.short)"
    case .string(let value): "\"\(value.shortened(to: 40).escapedForTerminal)\""
    case .longString(let bytes): "a string of \(bytes) bytes"
    case .table: "a table"
    case .function: "a function"
    case .object(let object): (object as? any NamedForScripts).map { "a \(type(of: $0).scriptName)" } ?? "an object"
    }
  }
}

/// Host objects that errors can name.
protocol NamedForScripts: AnyObject {
  static var scriptName: String { get }
}

extension Double {
  /// `3` rather than `3.0`.
  var short: String { Int(exactly: self).map { "\($0)" } ?? "\(self)" }
}
