import Confinement
import Diagnostics
import Files
import Foundation
import ShippedPlugins

/// A plugin's file: one on disk, or one that the program carries.
enum PluginFile: CustomStringConvertible {
  case file(String)
  /// By its path below the folder of plugins.
  case carried(String)

  var description: String {
    switch self {
    case .file(let path): path
    case .carried(let path): "\(path) (in the program)"
    }
  }

  func text() throws -> String {
    switch self {
    case .file(let path): return try ScriptFile.read(path)
    case .carried(let path):
      guard let text = ShippedPlugins.text(path) else { throw CompressError("the program carries no plugin \(path)") }
      return text
    }
  }
}

/// Where plugins are looked for, nearest first: next to the script, in the folders of `--plugins`, in the user's folder
/// (`~/.config/compress/plugins`), and among those shipped.
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
    let shipped = Self.shipped
    carried = shipped == nil ? ShippedPlugins.paths : []
    let user = Folders.environment("XDG_CONFIG_HOME") ?? Folders.environment("HOME").map { $0 + "/.config" }
    all =
      ([script].compactMap { $0 } + given + [user.map { $0 + "/compress/plugins" }, shipped].compactMap { $0 })
      .reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// `all`, and the program itself when it has to stand in for the folder of shipped plugins.
  public var places: [String] { all + (carried.isEmpty ? [] : ["the program itself"]) }

  /// Paths of the plugins that the program carries, where no folder of them was found.
  private let carried: [String]

  /// What must be readable for plugins to be found: the folders, and what links in them lead to.
  public var readable: [String] {
    all + all.flatMap { folder in Self.subfolders.flatMap { Rights.links(in: folder + $0) } }
  }

  /// `$COMPRESS_PLUGINS`, or `plugins` beside the program, in `../share/compress`, or in the source tree that the program
  /// was built in; nil when there is none, and the program's own are used.
  public static var shipped: String? {
    if let named = Folders.environment("COMPRESS_PLUGINS") { return named }
    guard let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else { return nil }
    let folder = Folders.parent(of: program)
    var candidates = ["\(folder)/plugins", "\(Folders.parent(of: folder))/share/compress/plugins"]
    if let build = program.range(of: "/.build/") { candidates.append(program[..<build.lowerBound] + "/plugins") }
    return candidates.first(where: Folders.exists)
  }

  static let subfolders = [""] + Plugin.Kind.allCases.map { "/" + $0.folder }

  /// Every file that a name could mean, nearest first.
  ///
  /// - Throws: `CompressError` when the name is not made of letters, digits and `_`.
  func files(named name: String) throws -> [PluginFile] {
    guard Self.isName(name) else {
      throw CompressError(
        "a plugin's name is made of letters, digits and _, not \"\(name.prefix(64).description.escapedForTerminal)\"")
    }
    let paths = all.flatMap { folder in Self.subfolders.map { "\(folder)\($0)/\(name).lua" } }
    return paths.filter(Folders.isFile).map(PluginFile.file)
      + carried.filter { $0.hasSuffix("/\(name).lua") }.map(PluginFile.carried)
  }

  /// Letters, digits and `_`: what is safe in a path and legible in a script.
  static func isName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 64
      && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
  }

  /// The plugins in the folders for them, by name.
  public var names: [String] {
    var names = Set(
      carried.filter { $0.hasSuffix(".lua") }.compactMap { $0.split(separator: "/").last?.dropLast(4) }.map(String.init)
    )
    for folder in all {
      for subfolder in Self.subfolders.dropFirst() {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder + subfolder)) ?? []
        names.formUnion(files.filter { $0.hasSuffix(".lua") }.map { String($0.dropLast(4)) })
      }
    }
    return names.sorted()
  }
}
