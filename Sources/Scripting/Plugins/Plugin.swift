import Compression
import Datasets
import Diagnostics
import LuaHost
import Pipeline

/// A plugin as its file declares it: `return plugin { kind = …, summary = …, options = …, … }`.
final class Plugin {
  enum Kind: String, CaseIterable {
    case pruning, schedule, quantization, device

    /// The function without which the plugin is none.
    var function: String {
      switch self {
      case .pruning: "score"
      case .schedule: "at"
      case .quantization: "assign"
      case .device: "describe"
      }
    }

    /// Everything a plugin of this kind may say besides kind, summary and options: names, and their types for editors.
    var fields: [(name: String, type: String)] {
      switch self {
      case .pruning:
        [
          ("scope?", PruningScope.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: "|")),
          ("unit?", "PruningUnit|fun(options: table): PruningUnit"),
          ("normalize?", "boolean"),
          ("elementwise?", "boolean"),
          ("needs?", "(" + LayerNeed.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: "|") + ")[]"),
          ("score", "fun(layer: Layer, ctx: { options: table }): Tensor|false"),
          ("gather?", "fun(layer: Layer, gathered: Tensor?, ctx: { options: table }): Tensor"),
        ]
      case .schedule: [("at", "fun(t: number, options: table): number")]
      case .quantization: [("assign", "fun(layer: Layer, options: table): LayerQuantization?")]
      case .device: [("describe", "fun(options: table): \(DeviceKeys.schema.name)")]
      }
    }

    /// What editors call the table a plugin of this kind declares.
    var declarationName: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() + "Plugin" }

    /// The folder of shipped and user plugins where this kind lives.
    var folder: String { self == .schedule ? "schedules" : rawValue }
  }

  let name: String
  let kind: Kind
  let summary: String
  let schema: OptionSchema
  let file: PluginFile
  var path: String { file.description }
  /// SHA-256 of the file's text: a changed plugin is another plugin.
  let digest: String
  /// `score`, `at`, `assign` or `describe`.
  let function: LuaFunction
  let fields: LuaTable
  /// Tells after a call whether the plugin changed a variable of its file.
  let module: FrozenModule
  unowned let state: LuaState

  /// - Throws: `CompressError` when the declaration is not what a plugin is.
  init(
    name: String, file: PluginFile, digest: String, declared table: LuaTable, module: FrozenModule,
    state: LuaState
  ) throws {
    guard let kindName = table["kind"].string else { throw CompressError("a plugin says its kind: kind = \"pruning\"") }
    guard let kind = Kind(rawValue: kindName) else {
      throw CompressError(
        "there is no kind \"\(kindName.escapedForTerminal)\""
          + Suggestion.text(for: kindName, among: Kind.allCases.map(\.rawValue)))
    }
    let known = ["kind", "summary", "options"] + kind.fields.map { $0.name.replacing("?", with: "") }
    for (key, _) in table.pairs {
      let text = key.string ?? "\(key.integer ?? 0)"
      guard known.contains(text) else {
        throw CompressError(
          "a \(kind.rawValue) plugin has no field \"\(text.escapedForTerminal)\""
            + Suggestion.text(for: text, among: known))
      }
    }
    guard let summary = table["summary"].string, !summary.isEmpty else { throw CompressError("a plugin has a summary") }
    guard let function = table[kind.function].function else {
      throw CompressError("a \(kind.rawValue) plugin has a function \"\(kind.function)\"")
    }
    if case .nil = table["options"] {
      schema = OptionSchema("", [])
    } else {
      guard let options = table["options"].table else { throw CompressError("options are a table") }
      schema = try OptionSchema(declared: options)
    }
    self.name = name
    self.kind = kind
    self.summary = summary
    self.file = file
    self.digest = digest
    self.function = function
    self.fields = table
    self.module = module
    self.state = state
  }
}

/// A plugin with its options: what `use "name" { … }` gives.
final class BoundPlugin: NamedForScripts {
  static let scriptName = "Plugin"

  let plugin: Plugin
  let options: OptionValues
  let recipe: Recipe

  init(_ plugin: Plugin, _ options: OptionValues) throws {
    self.plugin = plugin
    self.options = options
    recipe = ["plugin": .string(plugin.name), "source": .string(plugin.digest), "options": try options.recipe()]
  }

  /// Layers that the option `skip`, if the plugin has it, leaves whole.
  var skipped: [String] { options["skip"]?.strings ?? [] }

  /// What the option `calibration`, if the plugin has it, calibrates on.
  var calibration: (any Dataset)? {
    if case .data(let samples)? = options["calibration"] { samples.data } else { nil }
  }

  /// `use "name"` without options stands for `use "name" {}`.
  ///
  /// - Throws: `CompressError` when it is a plugin of another kind, or lacks options it needs.
  static func from(_ value: LuaValue, kind: Plugin.Kind) throws -> BoundPlugin? {
    let bound: BoundPlugin
    if let given = value.object(BoundPlugin.self) {
      bound = given
    } else if let open = value.object(PluginObject.self) {
      bound = try open.bind(nil)
    } else {
      return nil
    }
    guard bound.plugin.kind == kind else {
      throw CompressError(
        "\"\(bound.plugin.name)\" is a \(bound.plugin.kind.rawValue) plugin, not a \(kind.rawValue) plugin")
    }
    return bound
  }
}

/// What `use "name"` gives before options are bound: a function of them.
final class PluginObject: NamedForScripts {
  static let scriptName = "Plugin"

  let plugin: Plugin

  init(_ plugin: Plugin) { self.plugin = plugin }

  func bind(_ table: LuaTable?) throws -> BoundPlugin {
    do { return try BoundPlugin(plugin, plugin.schema.read(table)) } catch let error as CompressError {
      throw CompressError("plugin \"\(plugin.name)\": \(error.message)", kind: error.kind, hint: error.hint)
    }
  }
}
