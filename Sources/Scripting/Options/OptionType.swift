import Datasets
import Diagnostics
import LuaHost
import Pipeline

/// What values an option takes. The names are those plugins write in `type = "…"`.
indirect enum OptionType {
  case boolean
  case integer
  case number
  /// A number from 0 to 1.
  case ratio
  case string
  case choice([String])
  /// A pattern or a list of them, matched against layer names; `*` stands for anything.
  case patterns
  /// A list of strings.
  case strings
  /// Names, or patterns of them, and what they are to be called.
  case renames
  /// A list of numbers.
  case numbers
  /// A list of lists of numbers.
  case numberLists
  /// Shapes, by names.
  case shapes
  /// Samples, as `data.train` or `data.test:take(500)`.
  case data
  case model
  /// A part of a network, or false.
  case block
  /// Values of a network.
  case values
  /// A plugin of a kind, as `use "polynomial" { to = 0.8 }`.
  case plugin(Plugin.Kind)
  /// A schedule: a plugin, or a Lua function of progress t.
  case schedule
  /// A Lua function; its type, for editors.
  case function(String)
  /// A table with a schema of its own.
  case table(OptionSchema)
  case either(OptionType, OptionType)

  static let names = [
    "boolean", "integer", "number", "ratio", "string", "choice", "patterns", "numbers", "data", "model", "schedule",
  ]

  /// For help and errors: `a number`, `one of "a", "b"`.
  var description: String {
    switch self {
    case .boolean: "true or false"
    case .integer: "an integer"
    case .number: "a number"
    case .ratio: "a number from 0 to 1"
    case .string: "a string"
    case .choice(let names): "one of " + names.map { "\"\($0)\"" }.joined(separator: ", ")
    case .patterns: "a layer name or a list of them (* stands for anything)"
    case .strings: "a list of strings"
    case .renames: "a table of names, as { [\"old.*\"] = \"new.*\" }"
    case .numbers: "a list of numbers"
    case .numberLists: "a list of such lists"
    case .shapes: "a table of shapes, as { x = { 1, 3, 96, 160 } }"
    case .data: "samples, such as data.train"
    case .model: "a model"
    case .block: "a block, as net.conv(16, 3), or false"
    case .values: "a list of values, as net.input { 32, 32, 3 }"
    case .plugin(let kind): "a \(kind.rawValue) plugin, as use \"name\" {}"
    case .schedule: "a schedule plugin or a function of t"
    case .function: "a function"
    case .table: "a table of options"
    case .either(let a, let b): "\(a.description), or \(b.description)"
    }
  }

  /// The value as this type; nil when it is of another.
  ///
  /// - Throws: `CompressError` when it is of this type but out of range.
  func read(_ value: LuaValue) throws -> OptionValue? {
    switch self {
    case .boolean: return value.bool.map(OptionValue.bool)
    case .integer: return value.integer.map(OptionValue.integer)
    case .number: return value.number.map(OptionValue.number)
    case .ratio:
      guard let number = value.number else { return nil }
      guard (0...1).contains(number) else { throw CompressError("\(number) is not within 0 and 1") }
      return .number(number)
    case .string: return try value.string.map { .string(try Self.short($0)) }
    case .choice(let names):
      guard let name = value.string else { return nil }
      guard names.contains(name) else {
        throw CompressError("\"\(name)\" is no choice" + Suggestion.text(for: name, among: names))
      }
      return .string(name)
    case .patterns:
      if let single = value.string { return .strings([try Self.short(single)]) }
      return try Self.strings(value)
    case .strings: return try Self.strings(value)
    case .renames:
      guard let table = value.table else { return nil }
      _ = try Self.checked(count: table.count)
      var names: [String: String] = [:]
      for (key, value) in table.pairs {
        guard let from = key.string, let to = value.string else { return nil }
        names[try Self.short(from)] = try Self.short(to)
      }
      return .renames(names)
    case .numbers:
      guard let table = value.table else { return nil }
      _ = try Self.checked(count: table.count)
      return table.numbers.map(OptionValue.numbers)
    case .numberLists:
      guard let table = value.table, try Self.checked(count: table.count) > 0 else { return nil }
      let tables = table.array.compactMap(\.table)
      // One list may occur many times; each occurrence is copied.
      _ = try Self.checked(count: tables.reduce(0) { $0 + $1.count })
      let lists = tables.compactMap(\.numbers)
      return lists.count == table.count ? .numberLists(lists) : nil
    case .shapes:
      guard let table = value.table else { return nil }
      _ = try Self.checked(count: table.count)
      var shapes: [String: [Int]] = [:]
      for (key, value) in table.pairs {
        guard let name = key.string, let list = value.table, list.count <= 8 else { return nil }
        let extents = list.array.compactMap(\.integer)
        guard extents.count == list.count, !extents.isEmpty else { return nil }
        if let extent = extents.first(where: { !(1...1 << 30).contains($0) }) {
          throw CompressError("an extent of \(extent) in the shape of \"\(name.escapedForTerminal.shortened(to: 80))\"")
        }
        shapes[try Self.short(name)] = extents
      }
      return .shapes(shapes)
    case .data: return value.object(DataObject.self).map(OptionValue.data)
    case .model: return value.object(ModelObject.self).map(OptionValue.model)
    case .block: return value.bool == false ? .block(nil) : value.object(BlockObject.self).map { .block($0) }
    case .values:
      guard let table = value.table else { return nil }
      _ = try Self.checked(count: table.count)
      let list = table.array, values = list.compactMap { $0.object(NetworkValue.self) }
      return values.count == list.count ? .values(values) : nil
    case .plugin(let kind): return try BoundPlugin.from(value, kind: kind).map(OptionValue.plugin)
    case .schedule:
      if let function = value.function { return .function(function) }
      return try BoundPlugin.from(value, kind: .schedule).map(OptionValue.plugin)
    case .function: return value.function.map(OptionValue.function)
    case .table(let schema):
      guard let table = value.table else { return nil }
      return .options(try schema.read(table))
    case .either(let a, let b): return try a.read(value) ?? b.read(value)
    }
  }

  /// Bytes of an option that is a text: a name, a pattern, a few words.
  private static let longestText = 4096
  /// Elements of an option that is a list.
  private static let longestList = 1 << 16

  private static func short(_ text: String) throws -> String {
    guard text.utf8.count <= longestText else {
      throw CompressError("a text of \(text.utf8.count) bytes; at most \(longestText) are taken")
    }
    return text
  }

  private static func checked(count: Int) throws -> Int {
    guard count <= longestList else {
      throw CompressError("a list of \(count) elements; at most \(longestList) are taken")
    }
    return count
  }

  private static func strings(_ value: LuaValue) throws -> OptionValue? {
    guard let table = value.table else { return nil }
    _ = try checked(count: table.count)
    let list = table.array, strings = try list.compactMap(\.string).map(short)
    return strings.count == list.count ? .strings(strings) : nil
  }
}

/// A checked option.
enum OptionValue {
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case strings([String])
  case renames([String: String])
  case numbers([Double])
  case numberLists([[Double]])
  case shapes([String: [Int]])
  case data(DataObject)
  case model(ModelObject)
  case block(BlockObject?)
  case values([NetworkValue])
  case plugin(BoundPlugin)
  case function(LuaFunction)
  case options(OptionValues)

  func lua(_ state: LuaState) throws -> LuaValue {
    switch self {
    case .bool(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .number(let value): .number(value)
    case .string(let value): .string(value)
    case .strings(let values): .table(try state.makeTable(values.map { .string($0) }))
    case .renames(let names): .table(try names.table(in: state))
    case .numbers(let values): .table(try state.makeTable(values.map { .number($0) }))
    case .numberLists(let lists):
      .table(try state.makeTable(lists.map { .table(try state.makeTable($0.map { .number($0) })) }))
    case .shapes(let shapes):
      .table(try shapes.table(in: state))
    case .data(let object): .object(object)
    case .model(let object): .object(object)
    case .block(let block): block.map { .object($0) } ?? .bool(false)
    case .values(let values): .table(try state.makeTable(values.map { .object($0) }))
    case .plugin(let plugin): .object(plugin)
    case .function(let function): .function(function)
    case .options(let options): .table(try options.lua(state))
    }
  }

  func recipe() throws -> Recipe {
    switch self {
    case .bool(let value): .bool(value)
    case .integer(let value): .int(value)
    case .number(let value): .number(value)
    case .string(let value): .string(value)
    case .strings(let values): .list(values.map { .string($0) })
    case .renames(let names): .map(names.mapValues { .string($0) })
    case .numbers(let values): .list(values.map { .number($0) })
    case .numberLists(let lists): .list(lists.map { .list($0.map { .number($0) }) })
    case .shapes(let shapes): .map(shapes.mapValues { .list($0.map { .int($0) }) })
    case .data(let object): try object.data.identity.recipe()
    case .model(let object): .string(object.stage.key.digest)
    case .block, .values: .uncacheable(reason: "a part of a network is no option of a stage")
    case .plugin(let plugin): plugin.recipe
    case .function(let function): function.recipe
    case .options(let options): try options.recipe()
    }
  }
}

extension [String: [Int]] {
  fileprivate func table(in state: LuaState) throws -> LuaTable {
    let table = try state.makeTable()
    for (key, extents) in sorted(by: { $0.key < $1.key }) {
      try table.set(key, .table(try state.makeTable(extents.map { .integer($0) })))
    }
    return table
  }
}

extension [String: String] {
  fileprivate func table(in state: LuaState) throws -> LuaTable {
    let table = try state.makeTable()
    for (key, value) in sorted(by: { $0.key < $1.key }) { try table.set(key, .string(value)) }
    return table
  }
}
