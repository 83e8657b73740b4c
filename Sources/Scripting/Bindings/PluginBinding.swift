import Diagnostics
import LuaHost

extension ScriptSession {
  /// `use "name"` and `use "name" { option = … }`.
  func definePlugins() {
    let open = LuaClass<PluginObject>("Plugin")
    open.property("name", "string") { .string($0.plugin.name) }
    open.property("kind", "string") { .string($0.plugin.kind.rawValue) }
    open.operation(.call, "(options?: table): BoundPlugin") { arguments in
      .object(try arguments.object(0, PluginObject.self).bind(try arguments.optionalTable(1)))
    }
    state.define(open)

    let bound = LuaClass<BoundPlugin>("BoundPlugin", bytes: { 3 * $0.recipe.byteCount })
    bound.property("name", "string") { .string($0.plugin.name) }
    bound.property("kind", "string") { .string($0.plugin.kind.rawValue) }
    bound.property("options", "table", "checked, standards included") { .table(try $0.options.lua($0.plugin.state)) }
    // A schedule can be asked for its value at t, by name or as a function, which it may be in its place.
    bound.method("at", "(t: number): number", "A schedule's value at progress t, from 0 to 1.") {
      [unowned self] plugin, arguments in [try value(of: plugin, at: try arguments.number(0))]
    }
    bound.operation(.call, "(number): number") { [unowned self] arguments in
      try value(of: try arguments.object(0, BoundPlugin.self), at: try arguments.number(1))
    }
    state.define(bound)

    state.define("use", "(name: string): Plugin", "A plugin; called with a table, it takes its options.") {
      [unowned self] arguments in
      try arguments.atMost(1)
      return [.object(PluginObject(try registry.plugin(try arguments.string(0))))]
    }
  }

  private func value(of plugin: BoundPlugin, at t: Double) throws -> LuaValue {
    guard plugin.plugin.kind == .schedule else { throw CompressError("\"\(plugin.plugin.name)\" is no schedule") }
    return .number(try LuaSchedule(plugin, self).value(at: t))
  }
}
