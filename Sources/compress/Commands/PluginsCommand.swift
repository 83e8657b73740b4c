import ArgumentParser
import Confinement
import Files
import Reports
import Scripting

/// `compress plugins [NAME]`.
struct PluginsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugins", abstract: "List the plugins, or explain one: what it does, its options, where it is.",
    discussion: """
      A plugin is looked for beside the script, in the folders of --plugins, where this was started (of one that is named), in ~/.config/compress/plugins \
      ($XDG_CONFIG_HOME/compress/plugins), then among those shipped: in the folder that COMPRESS_PLUGINS names, in \
      "plugins" beside the program, in ../share/compress/plugins, in the source tree it was built in, and, without any \
      of these, in the program itself.
      """)

  @Argument(help: "The plugin to explain.", completion: .plugin)
  var name: String?

  @Option(
    parsing: .singleValue, help: ArgumentHelp("Folder with plugins, before those shipped.", valueName: "dir"),
    completion: .directory)
  var plugins: [String] = []

  @Flag(help: "JSON: an array of all plugins, or one object; name, kind, summary, options, path, or error.")
  var json = false

  @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

  func run() throws {
    // One that lies here is found as it is beside a script that lies here.
    let isHere = name.map { Folders.isFile("./\($0).lua") } ?? false
    let folders = plugins + (isHere ? ["."] : [])
    try confinement.confine(Rights(readable: PluginFolders(script: nil, given: folders).readable))
    let terminal = Terminal(.output)
    let catalog = try PluginCatalog(folders: folders)
    if let name {
      let plugin = try catalog.describe(name)
      if json { return try terminal.writeJSON(plugin) }
      terminal.write(PluginText(plugin).rendered(for: terminal))
      terminal.say("\n" + terminal.styled(plugin.path, .dim))
      return
    }
    if json { return try terminal.writeJSON(catalog.all().map(Entry.init)) }
    var table = TextTable([("plugin", .left), ("kind", .left), ("", .left)])
    for entry in catalog.all() {
      switch entry {
      case .success(let plugin):
        table.add([TextTable.Cell(plugin.name, .bold), TextTable.Cell(plugin.kind), TextTable.Cell(plugin.summary)])
      case .failure(let broken):
        table.add([
          TextTable.Cell(broken.name, .bold), TextTable.Cell("broken", .red), TextTable.Cell(broken.error.message),
        ])
      }
    }
    terminal.write(table.rendered(for: terminal))
  }

  /// A plugin of the list, or why it is none.
  private struct Entry: Encodable {
    let result: Result<PluginCatalog.Description, PluginCatalog.Broken>

    private enum CodingKeys: String, CodingKey { case name, error }

    func encode(to encoder: any Encoder) throws {
      switch result {
      case .success(let plugin): try plugin.encode(to: encoder)
      case .failure(let broken):
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(broken.name, forKey: .name)
        try container.encode(broken.error.message, forKey: .error)
      }
    }
  }
}
