import ArgumentParser
import Files
import Reports
import Scripting

/// `compress meta`.
struct MetaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "meta", abstract: "Write what scripts can say as annotations for editors; or the manual page.",
    discussion: """
      The text is also shipped as plugins/meta/compress.lua, and installed as share/compress/meta/compress.lua. Once \
      your editor's Lua language server has that folder as a workspace library, it completes and checks pipelines and \
      plugins; compress new writes a .luarc.json which says so.
      """)

  @Option(
    help: ArgumentHelp("The file to write (default: standard output).", valueName: "file"), completion: .file())
  var out: String?

  @Flag(help: "Write this program's manual page instead, for man(1).")
  var manual = false

  func run() throws {
    let text =
      manual ? try ManualPage(help: Compress._dumpHelp(), version: Compress.version).text : try EditorStubs.text()
    guard let out else { return Terminal(.output).writeVerbatim(text) }
    try AtomicFile.write(text.utf8, to: out)
  }
}
