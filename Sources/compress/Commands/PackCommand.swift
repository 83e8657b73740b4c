import ArgumentParser
import Confinement
import Diagnostics
import Files
import Formats
import Foundation
import Network
import Reports

/// `compress pack MODEL -o FILE`.
struct PackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack", abstract: "Write a model as a packed file: entropy-coded, the same to the last bit.",
    discussion: """
      Reads any model file, told by its content. Every command opens a packed file as it is; unpack gives back the \
      native file. It takes a second or two for ten million weights, and as long as that to open, a tenth of it with \
      --fast.
      """)

  @Argument(help: "A model file.", completion: .file())
  var model: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The file to write (default: the model's name, ending in .cmpz).", valueName: "file"),
    completion: .file())
  var out: String?

  @Flag(help: "Opened several times as fast, and up to 5 % larger.")
  var fast = false

  @Flag(help: "Write over a file that is there.")
  var overwrite = false

  @OptionGroup var reading: ReadingOptions

  @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

  func run() throws {
    try Broker.seal()
    var options = ModelFile.WriteOptions()
    options.isFast = fast
    let out = self.out ?? PackedName.beside(model, ending: PackedFormat.fileExtension)
    guard out.hasSuffix("." + PackedFormat.fileExtension) else {
      throw CompressError("a packed file's name ends in .\(PackedFormat.fileExtension)").at(file: out)
    }
    try ModelFile.checkName(out, options)
    try PackedName.checkFree(out, overwrite)
    try confinement.confine(
      Rights(readable: Rights.model(model) + [Folders.parent(of: out)], writable: [Folders.parent(of: out)]))
    let progress = TerminalProgress(), cancellation = Cancellation(), signals = StopSignals(cancellation)
    defer { signals.stop() }
    let written: Int = try Cancellation.$current.withValue(cancellation) { try write(out, options, progress) }
    let before = try ModelFile.parts(self.model).reduce(0) { $0 + (try Folders.size(ofFile: $1)) }
    let terminal = Terminal(.output)
    terminal.writeLine(
      "wrote \(terminal.styled(out.escapedForTerminal, .bold)): \(Formatting.bytes(written)); "
        + "\(self.model.escapedForTerminal) has \(Formatting.bytes(before))")
  }

  /// Returns the bytes written.
  private func write(_ out: String, _ options: ModelFile.WriteOptions, _ progress: TerminalProgress) throws -> Int {
    let source = try ModelFile.read(model, try reading.options())
    let numbers = source.allParameters.reduce(0) { $0 + $1.parameter.count }
    progress.begin("pack \(model)", total: numbers)
    var options = options
    options.progress = { done, _ in progress.update(done: min(done, numbers), detail: "") }
    let written = try ModelFile.write(source, to: out, options)
    progress.end(detail: "")
    return written
  }
}

/// Names of files that are written beside others.
enum PackedName {
  /// The same name with another ending, where its own is that of a model file; with one more, otherwise.
  static func beside(_ path: String, ending: String) -> String {
    for known in ModelFile.readExtensions where path.hasSuffix("." + known) && !path.hasSuffix("/." + known) {
      return path.dropLast(known.count) + ending
    }
    return "\(path).\(ending)"
  }

  /// - Throws: `CompressError` when the file is there and may not be written over.
  static func checkFree(_ path: String, _ overwrite: Bool) throws {
    guard overwrite || !FileManager.default.fileExists(atPath: path) else {
      throw CompressError("exists already and is left as it is", hint: "--overwrite, or another name").at(file: path)
    }
  }
}
