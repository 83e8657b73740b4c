import Confinement
import Datasets
import Files
import Foundation
import Pipeline
import Reports
import Scripting

extension ScriptOptions {
  /// What running the script takes: its folder, data and plugins to read, folders for results and the store to write.
  /// Makes those that are missing.
  ///
  /// - Parameter computes: whether the store is needed, and not only used where it can be.
  /// - Throws: `CompressError` when a folder cannot be made or written, before anything is computed.
  func rights(writing folders: [String] = [], computes: Bool) throws -> Rights {
    var rights = Rights(readable: [script] + Self.folder(of: script) + Rights.data(data))
    rights.readable += try PluginFolders(script: nil, given: plugins).readable
    rights.readable += ChartLibrary.paths
    for folder in folders {
      try Folders.prepare(folder)
      rights.writable.append(folder)
    }
    if !noCache {
      let store = try StageStore.ofUser()
      do { try store.prepare() } catch { if computes { throw error } }
      rights.writable.append(store.root)
    }
    return rights
  }

  /// Of a script from a pipe there is no folder.
  private static func folder(of script: String) -> [String] {
    let folder = Folders.parent(of: script), real = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
    return ["/", "/dev", "/proc"].contains { real == $0 || $0 != "/" && real.hasPrefix($0 + "/") } ? [] : [folder]
  }
}

extension Rights {
  /// Where data sets are looked for, with what links in the user's own folders lead to.
  static func data(_ given: String?) -> [String] {
    DatasetCatalog.roots(data: given) + DatasetCatalog.roots(data: nil).flatMap(links(in:))
  }

  /// The folder of the run store, made if need be; without one a run is not recorded, which is told then.
  static var runs: [String] {
    guard let folder = Folders.data, (try? Folders.create(folder)) != nil else { return [] }
    return [folder]
  }
}
