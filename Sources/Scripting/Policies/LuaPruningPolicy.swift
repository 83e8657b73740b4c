import Compression
import Diagnostics
import LuaHost
import Pipeline
import Tensors

/// A pruning plugin with its options, as the engine sees it.
struct LuaPruningPolicy: PruningPolicy {
  private let bound: BoundPlugin
  private let session: ScriptSession
  private let patterns: LayerPatterns
  private let gathering: LuaFunction?
  let scope: PruningScope
  let unit: PruningUnit
  let normalizesScores: Bool
  let isElementwise: Bool
  let needs: Set<LayerNeed>

  /// - Throws: `CompressError` when the plugin declares a scope, unit or need that does not exist.
  init(_ bound: BoundPlugin, _ session: ScriptSession) throws {
    let plugin = bound.plugin
    scope = try Self.scope(bound, session)
    unit = try Self.unit(bound, session)
    normalizesScores = plugin.fields["normalize"].bool ?? true
    isElementwise = plugin.fields["elementwise"].bool ?? false
    needs = try Self.needs(plugin)
    gathering = plugin.fields["gather"].function
    self.bound = bound
    self.session = session
    patterns = LayerPatterns(bound.skipped)
  }

  func check(layers: [String]) throws { try patterns.check("skip", among: layers) }

  private static func needs(_ plugin: Plugin) throws -> Set<LayerNeed> {
    func refused(_ message: String) -> CompressError { CompressError(message).at(script: plugin.path, line: nil) }
    if case .nil = plugin.fields["needs"] { return [] }
    guard let names = plugin.fields["needs"].table?.array.map(\.string), !names.isEmpty, !names.contains(nil) else {
      throw refused("needs is a list of names, such as { \"gradient\" }")
    }
    return Set(
      try names.compactMap { $0 }.map { name in
        guard let need = LayerNeed(rawValue: name) else {
          throw refused(
            "there is no need \"\(name.escapedForTerminal)\""
              + Suggestion.text(for: name, among: LayerNeed.allCases.map(\.rawValue)))
        }
        return need
      })
  }

  /// What the plugin says in a field of its own, or in a function of the options there.
  private static func field(_ name: String, _ bound: BoundPlugin, _ session: ScriptSession) throws -> LuaValue {
    let value = bound.plugin.fields[name]
    guard let function = value.function else { return value }
    return try session.call(bound.plugin, [.table(try bound.options.lua(session.state))], function: function)
  }

  /// What the plugin's `scope` says: a name, or a function of the options that gives one.
  private static func scope(_ bound: BoundPlugin, _ session: ScriptSession) throws -> PruningScope {
    let value = try field("scope", bound, session)
    if case .nil = value { return .global }
    let name = value.string ?? value.typeName
    guard let scope = PruningScope(rawValue: name) else {
      throw CompressError(
        "there is no scope \"\(name.escapedForTerminal)\""
          + Suggestion.text(for: name, among: PruningScope.allCases.map(\.rawValue))
      ).at(script: bound.plugin.path, line: nil)
    }
    return scope
  }

  /// What the plugin's `unit` says: a name, a table, or a function of the options that gives one.
  private static func unit(_ bound: BoundPlugin, _ session: ScriptSession) throws -> PruningUnit {
    let plugin = bound.plugin
    func refused(_ message: String) -> CompressError { CompressError(message).at(script: plugin.path, line: nil) }
    let value = try field("unit", bound, session)
    let names = ["weight", "filter", "block"]
    switch value {
    case .nil: return .weight
    case .string("weight"): return .weight
    case .string("filter"): return .filter
    case .string("block"): return .residualBlock
    case .string(let name):
      throw refused("there is no unit \"\(name.escapedForTerminal)\"" + Suggestion.text(for: name, among: names))
    case .table(let table):
      let unit: PruningUnit
      if let rows = table["rows"].integer, let columns = table["columns"].integer {
        unit = .block(rows: rows, columns: columns)
      } else if let keep = table["keep"].integer, let of = table["of"].integer {
        unit = .pattern(keep: keep, of: of)
      } else {
        throw refused(Self.units)
      }
      do { try unit.check() } catch let error as CompressError { throw error.at(script: plugin.path, line: nil) }
      return unit
    default:
      throw refused(Self.units)
    }
  }

  private static let units =
    "a unit is \"weight\", \"filter\", \"block\", { rows = 4, columns = 1 } or { keep = 2, of = 4 }"

  var name: String { bound.plugin.name }
  var recipe: Recipe { bound.recipe }

  func skips(_ layer: LayerView) -> Bool { patterns.match(layer.name) }

  var gathers: Bool { gathering != nil }

  func gather(_ layer: LayerView, _ gathered: Tensor?) throws -> Tensor {
    let before: LuaValue = gathered.map { .object(TensorObject($0)) } ?? .nil
    let value = try session.call(
      bound.plugin, [.object(LayerObject(layer)), before, .table(try context())], function: gathering!)
    if let tensor = value.object(TensorObject.self)?.tensor, tensor.shape == layer.weight.shape { return tensor }
    throw refused("gather", value, "a Tensor of shape \(layer.weight.shape)", gathering!, layer)
  }

  func score(_ layer: LayerView) throws -> Tensor? {
    let value = try session.call(bound.plugin, [.object(LayerObject(layer)), .table(try context())])
    if let scores = value.object(TensorObject.self) { return scores.tensor }
    if value.bool == false { return nil }
    let expected: Shape = unit.isRemoved ? [layer.weight.shape[0]] : layer.weight.shape
    var error = refused("score", value, "a Tensor of shape \(expected)", bound.plugin.function, layer)
    error.hint = "false leaves the layer whole"
    throw error
  }

  private func context() throws -> LuaTable {
    try session.state.makeTable(fields: ["options": .table(try bound.options.lua(session.state))])
  }

  private func refused(
    _ name: String, _ value: LuaValue, _ expected: String, _ function: LuaFunction, _ layer: LayerView
  ) -> CompressError {
    let found = value.object(TensorObject.self).map { "a Tensor of shape \($0.tensor.shape)" } ?? value.typeName
    return CompressError("\(name) of plugin \"\(self.name)\" returned \(found); it must return \(expected)")
      .at(script: bound.plugin.path, line: function.location?.lines.lowerBound).at(layer: layer.name)
  }
}
