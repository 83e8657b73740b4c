import Diagnostics
import Files
import Foundation

/// The settings by which an editor's Lua language server completes and checks pipelines and plugins: `.luarc.json`.
public enum EditorSettings {
  private struct Settings: Encodable {
    let schema = "https://raw.githubusercontent.com/LuaLS/vscode-lua/master/setting/schema.json"
    let version = "Lua 5.4"
    /// What scripts do not have.
    let libraries = Dictionary(
      uniqueKeysWithValues: ["coroutine", "debug", "io", "os", "package"].map { ($0, "disable") })
    let library: [String]
    /// The server is not to offer settings for other programs' libraries.
    let offersOthers = false

    enum CodingKeys: String, CodingKey {
      case schema = "$schema", version = "runtime.version", libraries = "runtime.builtin"
      case library = "workspace.library", offersOthers = "workspace.checkThirdParty"
    }
  }

  private static let names = [".luarc.json", ".luarc.jsonc"]

  /// Writes `.luarc.json` into the folder, unless it has settings already.
  ///
  /// - Returns: its path, or nil when there were settings, which are left as they are.
  /// - Throws: `CompressError` when it cannot be written, or the stubs cannot.
  public static func write(into folder: String) throws -> String? {
    let folder = folder == "." ? "" : folder + "/"
    // A link that leads nowhere is somebody's settings as well.
    guard !names.contains(where: { access(folder + $0, F_OK) == 0 || Folders.isLink(folder + $0) }) else { return nil }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let text = try encoder.encode(Settings(library: [try stubs()])) + Data("\n".utf8)
    let path = folder + names[0]
    do { try text.write(to: URL(fileURLWithPath: path), options: .withoutOverwriting) } catch
      CocoaError.fileWriteFileExists
    {
      return nil
    } catch {
      throw CompressError("cannot write: \(error.localizedDescription)", kind: .system).at(file: path)
    }
    return path
  }

  /// The folder of the stubs: the one installed with this program, or one among the user's data, where they are written.
  private static func stubs() throws -> String {
    if let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
      let installed = Folders.parent(of: Folders.parent(of: program)) + "/share/compress/meta"
      if Folders.isFile(installed + "/compress.lua") { return installed }
    }
    guard let data = Folders.data else {
      throw CompressError("there is no folder for the editor's stubs", kind: .system, hint: "set XDG_DATA_HOME")
    }
    // The record of runs lies there, too, which is nobody else's.
    try Folders.create(data, mode: 0o700)
    let folder = data + "/meta"
    try Folders.create(folder)
    try AtomicFile.write(EditorStubs.text().utf8, to: folder + "/compress.lua")
    return folder
  }
}
