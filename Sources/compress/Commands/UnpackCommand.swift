import ArgumentParser
import Confinement
import Diagnostics
import Files
import Formats
import Network
import Reports

/// `compress unpack FILE -o MODEL`.
struct UnpackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpack", abstract: "Write the model of a packed file as a native one, or in another format.")

  @Argument(help: "A packed file.", completion: .file())
  var file: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The file to write (default: the packed one's name, ending in .cmpr).", valueName: "file"),
    completion: .file())
  var out: String?

  @Flag(help: "Write over a file that is there.")
  var overwrite = false

  @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

  func run() throws {
    try Broker.seal()
    let out = self.out ?? PackedName.beside(file, ending: NativeFormat.fileExtension)
    guard self.out != nil || out != file else {
      throw CompressError(
        "\(file.escapedForTerminal) is a native model file by its name: there is nothing to unpack",
        hint: "--out FILE names what is written, of a packed file that is called so")
    }
    try ModelFile.checkName(out)
    try PackedName.checkFree(out, overwrite)
    try confinement.confine(
      Rights(readable: [file, Folders.parent(of: out)], writable: [Folders.parent(of: out)]))
    let cancellation = Cancellation(), signals = StopSignals(cancellation)
    defer { signals.stop() }
    var options = ModelFile.WriteOptions()
    options.note = { Terminal(.output).writeLine("not kept: \($0)") }
    let written: Int = try Cancellation.$current.withValue(cancellation) {
      try ModelFile.write(try PackedFormat.read(file), to: out, options)
    }
    let terminal = Terminal(.output)
    terminal.writeLine(
      "wrote \(terminal.styled(out.escapedForTerminal, .bold)): \(Formatting.bytes(written)); "
        + "\(file.escapedForTerminal) has \(Formatting.bytes(try Folders.size(ofFile: file)))")
  }
}
