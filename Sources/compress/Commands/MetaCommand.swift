import ArgumentParser
import Files
import Reports
import Scripting

/// `compress meta`.
struct MetaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "meta", abstract: "Write what scripts can say as annotations for editors.",
    discussion: """
      The text is also shipped as plugins/meta/compress.lua. Once your editor's Lua language server has that folder as a \
      workspace library, it completes and checks pipelines and plugins.
      """)

  @Option(help: ArgumentHelp("The file to write (default: standard output).", valueName: "file"))
  var out: String?

  func run() throws {
    let text = try EditorStubs.text()
    guard let out else { return Terminal(.output).writeVerbatim(text) }
    try AtomicFile.write(text.utf8, to: out)
  }
}
