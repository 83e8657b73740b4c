import Diagnostics
import Files
import LuaHost
import Pipeline

/// Finds plugins by name and loads them, each once.
///
/// The first of the places in `PluginFolders` that has a name wins, and that it shadows another is said aloud.
public final class PluginRegistry {
  let folders: PluginFolders
  private let state: LuaState
  private let note: (String) -> Void
  private var loaded: [String: Plugin] = [:]
  /// What `plugin { … }` was called with, and in which line, while a plugin's file runs.
  private var declared: (table: LuaTable, line: Int?)?
  private var isLoading = false

  init(folders: PluginFolders, state: LuaState, note: @escaping (String) -> Void) {
    self.folders = folders
    self.state = state
    self.note = note
    state.define(
      "plugin", "(declared: \(Plugin.Kind.allCases.map(\.declarationName).joined(separator: "|"))): table",
      "What a plugin's file returns."
    ) { [unowned self] arguments in
      guard isLoading else { throw CompressError("plugin { … } belongs into a plugin's own file") }
      guard declared == nil else { throw CompressError("a file declares one plugin") }
      let table = try arguments.table(0)
      declared = (table, arguments.state.callerLocation()?.line)
      return [.table(table)]
    }
  }

  /// - Throws: `CompressError` when there is no such plugin (with the nearest name) or its file is broken.
  func plugin(_ name: String) throws -> Plugin {
    if let plugin = loaded[name] { return plugin }
    let candidates = try folders.files(named: name)
    guard let file = candidates.first else {
      throw CompressError(
        "there is no plugin \"\(name.escapedForTerminal)\"" + Suggestion.text(for: name, among: folders.names),
        hint: "looked in \(folders.places.joined(separator: ", "))")
    }
    if candidates.count > 1 { note("plugin \"\(name)\" of \(file) shadows \(candidates[1])") }
    let plugin = try load(name, file)
    loaded[name] = plugin
    return plugin
  }

  /// Of every plugin that was loaded, by name.
  var digests: [String: String] { loaded.mapValues(\.digest) }

  private func load(_ name: String, _ file: PluginFile) throws -> Plugin {
    let source = try file.text(), path = file.description
    let environment = state.makeEnvironment()
    let outer = (isLoading, declared)
    (isLoading, declared) = (true, nil)
    defer { (isLoading, declared) = outer }
    let results = try state.call(try state.load(source, name: path, environment: environment))
    guard let table = results.first?.table, let declared, table.isSame(as: declared.table) else {
      throw CompressError("a plugin's file ends with: return plugin { … }").at(script: path, line: nil)
    }
    do {
      // Frozen from now on: what accumulated in a variable would make results depend on the order of calls.
      let module = try FrozenModule(environment, results: results, name: "plugin \"\(name)\"")
      return try Plugin(
        name: name, file: file, digest: Digest.of(source), declared: table, module: module, state: state)
    } catch let error as CompressError {
      throw error.at(script: path, line: declared.line)
    }
  }
}
