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

  init(_ name: String, _ options: [Option]) {
    self.name = name
    self.options = options
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
    return OptionValues(values)
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

/// Options after checking, by name.
struct OptionValues {
  private let values: [String: OptionValue]

  init(_ values: [String: OptionValue] = [:]) { self.values = values }

  subscript(name: String) -> OptionValue? { values[name] }

  func bool(_ name: String) -> Bool? {
    if case .bool(let value)? = values[name] { value } else { nil }
  }
  func integer(_ name: String) -> Int? {
    if case .integer(let value)? = values[name] { value } else { nil }
  }
  func number(_ name: String) -> Double? {
    switch values[name] {
    case .number(let value): value
    case .integer(let value): Double(value)
    default: nil
    }
  }
  func string(_ name: String) -> String? {
    if case .string(let value)? = values[name] { value } else { nil }
  }
  func strings(_ name: String) -> [String]? {
    if case .strings(let value)? = values[name] { value } else { nil }
  }
  func renames(_ name: String) -> [String: String]? {
    if case .renames(let values)? = values[name] { values } else { nil }
  }
  func numbers(_ name: String) -> [Double]? {
    if case .numbers(let values)? = values[name] { values } else { nil }
  }
  func numberLists(_ name: String) -> [[Double]]? {
    if case .numberLists(let lists)? = values[name] { lists } else { nil }
  }
  func data(_ name: String) -> DataObject? {
    if case .data(let value)? = values[name] { value } else { nil }
  }
  func plugin(_ name: String) -> BoundPlugin? {
    if case .plugin(let value)? = values[name] { value } else { nil }
  }
  func options(_ name: String) -> OptionValues? {
    if case .options(let value)? = values[name] { value } else { nil }
  }

  /// As a Lua table, for plugins.
  func lua(_ state: LuaState) throws -> LuaTable {
    let table = try state.makeTable()
    for (name, value) in values.sorted(by: { $0.key < $1.key }) { try table.set(name, value.lua(state)) }
    return table
  }

  func recipe() throws -> Recipe { .map(try values.mapValues { try $0.recipe() }) }
}

extension OptionValue {
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
