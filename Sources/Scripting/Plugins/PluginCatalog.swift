import Diagnostics
import LuaHost
import Tensors

/// Plugins explained, without a script: what `compress plugins` shows.
public final class PluginCatalog {
  public struct Description: Sendable, Encodable {
    public struct Option: Sendable, Encodable {
      public let name: String
      public let type: String
      /// nil when it has no default.
      public let standard: String?
      public let isRequired: Bool
      public let help: String

      private enum CodingKeys: String, CodingKey {
        case name, type, standard = "default", isRequired = "required", help
      }
    }

    public let name: String
    public let kind: String
    public let summary: String
    public let options: [Option]
    /// Its file, or what it is called inside the program.
    public let path: String
  }

  /// A plugin that could not be loaded.
  public struct Broken: Error {
    public let name: String
    public let error: CompressError
  }

  private let state: LuaState
  private let registry: PluginRegistry

  /// - Throws: `CompressError` when a folder does not exist.
  public init(folders: [String]) throws {
    state = LuaState(seed: 0, random: { SeededRandom(seed: $0) }, print: { _ in })
    registry = PluginRegistry(folders: try PluginFolders(script: nil, given: folders), state: state, note: { _ in })
    try state.defineTensors()
  }

  /// Where plugins are looked for, nearest first.
  public var places: [String] { registry.folders.places }

  /// - Throws: `CompressError` when there is no such plugin or it is broken.
  public func describe(_ name: String) throws -> Description {
    try Description(try registry.plugin(name))
  }

  /// Every plugin, by name; one that is broken does not hide the others.
  public func all() -> [Result<Description, Broken>] {
    registry.folders.names.map { name in
      do { return .success(try describe(name)) } catch {
        return .failure(Broken(name: name, error: error as? CompressError ?? CompressError("\(error)")))
      }
    }
  }
}

extension PluginCatalog.Description {
  init(_ plugin: Plugin) throws {
    name = plugin.name
    kind = plugin.kind.rawValue
    summary = plugin.summary
    options = try plugin.schema.options.map { option in
      Option(
        name: option.name, type: option.type.description, standard: try option.standard?.recipe().description,
        isRequired: option.isRequired, help: option.help)
    }
    path = plugin.path
  }
}
