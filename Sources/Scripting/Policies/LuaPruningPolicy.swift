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
  let scope: PruningScope
  let unit: PruningUnit
  let normalizesScores: Bool

  /// - Throws: `CompressError` when the plugin declares a scope or unit that does not exist.
  init(_ bound: BoundPlugin, _ session: ScriptSession) throws {
    let plugin = bound.plugin
    let scopeName = plugin.fields["scope"].string ?? "global"
    guard let scope = PruningScope(rawValue: scopeName) else {
      throw CompressError(
        "there is no scope \"\(scopeName.escapedForTerminal)\""
          + Suggestion.text(for: scopeName, among: PruningScope.allCases.map(\.rawValue))
      ).at(script: plugin.path, line: nil)
    }
    let unitName = plugin.fields["unit"].string ?? "weight"
    guard let unit = PruningUnit(rawValue: unitName) else {
      throw CompressError(
        "there is no unit \"\(unitName.escapedForTerminal)\""
          + Suggestion.text(for: unitName, among: PruningUnit.allCases.map(\.rawValue))
      ).at(script: plugin.path, line: nil)
    }
    self.unit = unit
    normalizesScores = plugin.fields["normalize"].bool ?? true
    self.bound = bound
    self.session = session
    self.scope = scope
    patterns = LayerPatterns(bound.options.strings("skip") ?? [])
  }

  var name: String { bound.plugin.name }
  var recipe: Recipe { bound.recipe }

  func skips(_ layer: LayerView) -> Bool { patterns.match(layer.name) }

  func score(_ layer: LayerView) throws -> Tensor? {
    let context = try session.state.makeTable(fields: ["options": .table(try bound.options.lua(session.state))])
    let value = try session.call(bound.plugin, [.object(LayerObject(layer)), .table(context)])
    if let scores = value.object(TensorObject.self) { return scores.tensor }
    if value.bool == false { return nil }
    let expected: Shape = unit == .weight ? layer.weight.shape : [layer.weight.shape[0]]
    throw CompressError(
      "score of plugin \"\(name)\" returned \(value.typeName); it must return a Tensor of shape \(expected)",
      hint: "false leaves the layer whole"
    ).at(script: bound.plugin.path, line: bound.plugin.function.location?.lines.lowerBound).at(layer: layer.name)
  }
}
