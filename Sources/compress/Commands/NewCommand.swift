import ArgumentParser
import Diagnostics
import Reports
import Scripting

/// `compress new plugin|pipeline NAME`.
struct NewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Write a first plugin or pipeline to start from: NAME.lua, which runs as it is.")

  enum What: String, ExpressibleByArgument, CaseIterable { case plugin, pipeline }

  @Argument(help: "plugin or pipeline.")
  var what: What

  @Argument(help: "Letters, digits and _; the file is NAME.lua in this folder.")
  var name: String

  @Option(help: ArgumentHelp("Of a plugin: \(Scaffold.pluginKinds.joined(separator: ", ")).", valueName: "kind"))
  var kind: String?

  func validate() throws {
    if what == .pipeline, kind != nil { throw ValidationError("--kind is for plugins") }
  }

  func run() throws {
    let scaffold: Scaffold = what == .pipeline ? .pipeline : .plugin(kind: kind ?? "pruning")
    let path = try scaffold.write(name: name, into: ".")
    let terminal = Terminal(.output)
    terminal.writeLine("wrote \(terminal.styled(path, .bold))\n\nnext:")
    switch what {
    case .pipeline:
      terminal.writeLine("  compress check \(path)              its options, and what it would do")
      terminal.writeLine("  compress run \(path) --out results  do it")
    case .plugin:
      terminal.writeLine("  compress check \(path)             try it on a tiny network")
      terminal.writeLine("  compress new pipeline my_pipeline  a pipeline beside it; write: use \"\(name)\" {}")
      if let shadowed = (try? PluginCatalog(folders: []).describe(name))?.path {
        terminal.writeLine("\nnote: it will be found before \(shadowed.escapedForTerminal), which has the same name")
      }
    }
  }
}
