import ArgumentParser
import Diagnostics
import Foundation
import Reports
import Scripting

/// `compress new plugin|pipeline NAME`.
struct NewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Write a first plugin or pipeline to start from: NAME.lua, which runs as it is.",
    discussion: """
      Where there is none yet, also writes .luarc.json, by which an editor's Lua language server completes and checks \
      what is in the folder.
      """)

  enum What: String, ExpressibleByArgument, CaseIterable { case plugin, pipeline }

  @Argument(help: "plugin or pipeline.")
  var what: What

  @Argument(help: "Letters, digits and _; the file is NAME.lua in this folder.")
  var name: String

  @Option(
    help: ArgumentHelp("Of a plugin: \(Scaffold.pluginKinds.joined(separator: ", ")).", valueName: "kind"),
    completion: .list(Scaffold.pluginKinds))
  var kind: String?

  func validate() throws {
    if what == .pipeline, kind != nil { throw ValidationError("--kind is for plugins") }
  }

  func run() throws {
    let scaffold: Scaffold = what == .pipeline ? .pipeline : .plugin(kind: kind ?? "pruning")
    let path = try scaffold.write(name: name, into: ".")
    let terminal = Terminal(.output)
    terminal.say("wrote \(terminal.styled(path, .bold))")
    do {
      if let settings = try EditorSettings.write(into: ".") {
        terminal.say("wrote \(settings), for editors with a Lua language server")
      }
    } catch let error as CompressError {
      // What was asked for is there.
      let errors = Terminal(.errors)
      errors.write(errors.told("note: ", .yellow, text: "no settings for editors: \(error)".escapedBlock))
    }
    terminal.say("\nnext:")
    switch what {
    case .pipeline:
      terminal.say("  compress check \(path)              its options, and what it would do")
      terminal.say("  compress run \(path) --out results  do it")
    case .plugin:
      var check = "compress check \(path)"
      check += String(repeating: " ", count: max(0, 33 - check.count))
      terminal.say("  \(check)  try it on a tiny network")
      terminal.say("  compress new pipeline my_pipeline  a pipeline beside it; write: use \"\(name)\" {}")
      if let shadowed = (try? PluginCatalog(folders: []).describe(name))?.path {
        terminal.say("\nnote: it will be found before \(shadowed.escapedForTerminal), which has the same name")
      }
    }
  }
}
