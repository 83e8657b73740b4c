import Devices
import Diagnostics
import Files
import LuaHost
import Network
import ShippedPlugins

/// Of what `describe` of a device returns.
enum DeviceKeys {
  static var bits: OptionKey<[Double]> { .required("bits", .numbers, help: "of weights that it runs: 8, 32 …") }
  static var operators: OptionKey<[String]?> {
    .optional("operators", .strings, help: "that it runs, as native files call them; all without it")
  }
  static var ram: OptionKey<Int?> {
    .optional("ram", .integer, help: "bytes of memory for the network", minimum: 1, maximum: 1e15)
  }
  static var flash: OptionKey<Int?> {
    .optional("flash", .integer, help: "bytes for its weights and tables", minimum: 1, maximum: 1e15)
  }
  static var clock: OptionKey<Double?> { .optional("clock", .number, help: "in Hz", minimum: 1, maximum: 1e12) }
  static var sources: OptionKey<[String]> { .required("sources", .strings, help: "where all this is from") }
  static var table: OptionKey<String?> {
    .optional("table", .string, help: "a file of compress bench --table beside the plugin")
  }

  static var schema: OptionSchema {
    OptionSchema("DeviceDescription", [bits, operators, ram, flash, clock, sources, table])
  }
}

extension DeviceDescription {
  /// What a device plugin with its options describes.
  ///
  /// - Throws: `CompressError`, with the plugin's file, when it is no description.
  init(_ bound: BoundPlugin, _ session: ScriptSession) throws {
    let plugin = bound.plugin
    let value = try session.call(plugin, [.table(try bound.options.lua(session.state))])
    do {
      guard let table = value.table else { throw CompressError("must return a table, not \(value.typeName)") }
      let given = try DeviceKeys.schema.read(table)
      let bits = given[DeviceKeys.bits].compactMap { Int(exactly: $0) }
      guard !bits.isEmpty, bits.count == given[DeviceKeys.bits].count, bits.allSatisfy({ (1...32).contains($0) }) else {
        throw CompressError("bits are whole numbers from 1 to 32, one at least")
      }
      guard !given[DeviceKeys.sources].isEmpty else {
        throw CompressError("sources say where the numbers are from: one at least")
      }
      let operators = given[DeviceKeys.operators]
      for name in operators ?? [] where !Operator.kinds.contains(name) {
        throw CompressError(
          "there is no operator \"\(name.escapedForTerminal.shortened(to: 80))\""
            + Suggestion.text(for: name, among: Operator.kinds))
      }
      self.init(
        name: plugin.name, bits: bits, operators: operators.map(Set.init), ram: given[DeviceKeys.ram],
        flash: given[DeviceKeys.flash], clock: given[DeviceKeys.clock], sources: given[DeviceKeys.sources],
        table: try given[DeviceKeys.table].map { try Self.table($0, of: plugin) })
    } catch var error as CompressError {
      error.message = "describe of plugin \"\(plugin.name)\": \(error.message)"
      throw error.at(script: plugin.path, line: plugin.function.location?.lines.lowerBound)
    }
  }

  /// A table by its bare name: it lies beside the plugin, or in the program with it.
  private static func table(_ name: String, of plugin: Plugin) throws -> LatencyTable {
    let ending = ".json"
    guard name.hasSuffix(ending), PluginFolders.isName(String(name.dropLast(ending.count))) else {
      throw CompressError("a table is called NAME.json, of letters, digits and _: it lies beside the plugin")
    }
    guard case .carried(let path) = plugin.file else {
      return try LatencyTable(file: "\(Folders.parent(of: plugin.path))/\(name)")
    }
    let carried = path.split(separator: "/").dropLast().joined(separator: "/") + "/" + name
    guard let text = ShippedPlugins.text(carried) else { throw CompressError("the program carries no \(carried)") }
    return try LatencyTable(text: text)
  }
}
