import Diagnostics
import LuaHost

// The schema as plugins and `params` write it:
//   options = { skip = { type = "patterns", default = {}, help = "layers left whole" } }
extension OptionSchema {
  /// - Throws: `CompressError` naming the option whose declaration is wrong.
  init(declared table: LuaTable) throws {
    var options: [Option] = []
    for (key, value) in table.pairs {
      guard let name = key.string, let declaration = value.table else {
        throw CompressError("options are declared as name = { type = … }")
      }
      do { options.append(try Option(name, declared: declaration)) } catch let error as CompressError {
        throw CompressError("option \"\(name.escapedForTerminal)\": \(error.message)")
      }
    }
    self.init("", options)
  }
}

extension OptionSchema.Option {
  /// What a declaration may say, and the types for editors.
  static let declarationFields: [(name: String, type: String)] = [
    ("type", OptionType.names.map { "\"\($0)\"" }.joined(separator: "|")), ("default", "any"), ("optional", "boolean"),
    ("help", "string"),
    ("min", "number"), ("max", "number"),
  ]

  fileprivate init(_ name: String, declared table: LuaTable) throws {
    let known = Self.declarationFields.map(\.name)
    for key in table.keys where !known.contains(key) {
      throw CompressError("\"\(key.escapedForTerminal)\" says nothing here" + Suggestion.text(for: key, among: known))
    }
    guard let typeName = table["type"].string else { throw CompressError("has no type") }
    let type: OptionType
    switch typeName {
    case "boolean": type = .boolean
    case "integer": type = .integer
    case "number": type = .number
    case "ratio": type = .ratio
    case "string": type = .string
    case "patterns": type = .patterns
    case "numbers": type = .numbers
    case "data": type = .data
    case "model": type = .model
    case "schedule": type = .schedule
    case "choice":
      let names = table.array.compactMap(\.string)
      guard !names.isEmpty, names.count == table.count else {
        throw CompressError("a choice lists its names: { type = \"choice\", \"a\", \"b\" }")
      }
      type = .choice(names)
    default:
      throw CompressError(
        "there is no type \"\(typeName.escapedForTerminal)\"" + Suggestion.text(for: typeName, among: OptionType.names))
    }
    var standard: OptionValue?
    if !table["default"].isNil {
      guard let value = try type.read(table["default"]) else {
        throw CompressError("its default must be \(type.description), not \(table["default"].typeName)")
      }
      standard = value
    }
    let minimum = try table.bound("min") ?? -.infinity, maximum = try table.bound("max") ?? .infinity
    guard minimum <= maximum else { throw CompressError("min \(minimum.short) is above max \(maximum.short)") }
    self.init(
      name: name, type: type, help: table["help"].string ?? "", standard: standard,
      isRequired: standard == nil && table["optional"].bool != true,
      minimum: minimum, maximum: maximum)
    if let standard { try check(standard) }
  }
}

extension LuaTable {
  /// `min` or `max` of a declaration.
  func bound(_ name: String) throws -> Double? {
    if self[name].isNil { return nil }
    guard let bound = self[name].number, !bound.isNaN else {
      throw CompressError("\(name) is a number, not \(self[name].typeName)")
    }
    return bound
  }
}
