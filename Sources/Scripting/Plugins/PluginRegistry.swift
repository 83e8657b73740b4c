import Confinement
import Diagnostics
import Files
import Foundation
import LuaHost
import Pipeline

/// Finds plugins by name and loads them, each once.
///
/// A name is looked for next to the script, in the folders of `--plugins`, in the user's folder, and
/// among those shipped; the first wins, and shadowing a shipped plugin is said aloud.
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
    guard let path = candidates.first else {
      throw CompressError(
        "there is no plugin \"\(name.escapedForTerminal)\"" + Suggestion.text(for: name, among: folders.names),
        hint: "looked in \(folders.all.joined(separator: ", "))")
    }
    if candidates.count > 1 { note("plugin \"\(name)\" of \(path) shadows \(candidates[1])") }
    let plugin = try load(name, path)
    loaded[name] = plugin
    return plugin
  }

  /// Of every plugin that was loaded, by name.
  var digests: [String: String] { loaded.mapValues(\.digest) }

  private func load(_ name: String, _ path: String) throws -> Plugin {
    let source = try ScriptFile.read(path)
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
        name: name, path: path, digest: Digest.of(source), declared: table, module: module, state: state)
    } catch let error as CompressError {
      throw error.at(script: path, line: declared.line)
    }
  }
}

/// Where plugins are looked for, nearest first.
public struct PluginFolders: Sendable {
  public let all: [String]

  /// - Parameters:
  ///   - script: the folder of the script; nil when there is none.
  ///   - given: what `--plugins` names.
  /// - Throws: `CompressError` when a folder given does not exist.
  public init(script: String?, given: [String]) throws {
    for folder in given where !Folders.exists(folder) {
      throw CompressError("--plugins \(folder): there is no such folder")
    }
    let user = Folders.environment("XDG_CONFIG_HOME") ?? Folders.environment("HOME").map { $0 + "/.config" }
    all =
      ([script].compactMap { $0 } + given + [user.map { $0 + "/compress/plugins" }, Self.shipped].compactMap { $0 })
      .reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// What must be readable for plugins to be found: the folders, and what links in them lead to.
  public var readable: [String] {
    all + all.flatMap { folder in Self.subfolders.flatMap { Rights.links(in: folder + $0) } }
  }

  /// `$COMPRESS_PLUGINS`, or `plugins` beside the program, in `../share/compress`, or in a folder above it
  /// (a build folder inside the source tree).
  public static var shipped: String? {
    if let named = Folders.environment("COMPRESS_PLUGINS") { return named }
    guard
      var folder = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")).map(
        Folders.parent(of:))
    else { return nil }
    for candidate in ["\(folder)/plugins", "\(Folders.parent(of: folder))/share/compress/plugins"]
    where Folders.exists(candidate) { return candidate }
    while folder != "/", !folder.isEmpty, folder != "." {
      if Folders.exists("\(folder)/plugins/pruning") { return "\(folder)/plugins" }
      folder = Folders.parent(of: folder)
    }
    return nil
  }

  static let subfolders = [""] + Plugin.Kind.allCases.map { "/" + $0.folder }

  /// Every file that a name could mean, nearest first.
  ///
  /// - Throws: `CompressError` when the name is not made of letters, digits and `_`.
  func files(named name: String) throws -> [String] {
    guard Self.isName(name) else {
      throw CompressError(
        "a plugin's name is made of letters, digits and _, not \"\(name.prefix(64).description.escapedForTerminal)\"")
    }
    return all.flatMap { folder in Self.subfolders.map { "\(folder)\($0)/\(name).lua" } }.filter(Folders.isFile)
  }

  /// Letters, digits and `_`: what is safe in a path and legible in a script.
  static func isName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 64
      && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
  }

  /// The plugins in the folders for them, by name.
  public var names: [String] {
    var names = Set<String>()
    for folder in all {
      for subfolder in Self.subfolders.dropFirst() {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder + subfolder)) ?? []
        names.formUnion(files.filter { $0.hasSuffix(".lua") }.map { String($0.dropLast(4)) })
      }
    }
    return names.sorted()
  }
}
