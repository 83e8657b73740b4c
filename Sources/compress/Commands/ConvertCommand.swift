import ArgumentParser
import Confinement
import Diagnostics
import Exports
import Files
import Formats
import Foundation
import Kernels
import Network
import Reports

/// `compress convert IN OUT`.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Write a model in another format, and say what that does not keep.",
    discussion: """
      Reads any model file, told by its content, and writes the format of the other name's ending: \
      \(ModelExport.extensions.map { "." + $0 }.joined(separator: ", ")). An ONNX file that becomes one again keeps the \
      names and shapes of its inputs and outputs. Of .c, C99 with a header beside it, the memory it takes is told. \
      .cmpx is compiled, for libcompress to run.

      For example: compress convert net.onnx net.cmpx --for avx2,neon
      """)

  @Argument(help: "A model file.", completion: .file())
  var model: String

  @Argument(help: "The file to write.", completion: .file())
  var out: String

  @OptionGroup var reading: ReadingOptions

  @Option(parsing: .unconditional, help: "Of an ONNX file: the version of its operators, 13 to 21 (default: 17).")
  var opset: Int?

  @Option(
    name: .customLong("for"), parsing: .unconditional,
    help: ArgumentHelp(
      "Of a .cmpx file: the instruction sets it is compiled for (default: this machine's), of "
        + InstructionSet.allCases.map(\.rawValue).joined(separator: ", ") + ".", valueName: "sets"))
  var sets: String?

  @Option(parsing: .unconditional, help: "Of a .cmpx file: samples at once that kernels are chosen for (default: 1).")
  var batch: Int?

  @Flag(
    help: """
      Of a .cmpx file: float products add up in the order of the definition, never by Winograd's method.
      """)
  var exact = false

  @Flag(help: "Of a .c file: no layers are computed patch by patch.")
  var noPatches = false

  @Option(
    parsing: .unconditional,
    help: """
      Of a .c file: multiply-accumulates of the layers that are computed patch by patch at most, as a multiple of what they \
      are without patches (default: 1.5).
      """)
  var patchWork: Double?

  @Flag(help: "Write over a file that is there.")
  var overwrite = false

  @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

  func run() throws {
    try Broker.seal()
    var options = ModelExport.Options()
    options.file.opset = opset
    options.instructionSets = try sets.map {
      try ModelExport.Options.instructionSets(
        $0.split(separator: ",", omittingEmptySubsequences: false).map { String($0) })
    }
    options.batch = batch
    options.isExact = exact
    guard patchWork.map({ $0 >= 1 && $0 <= 100 }) ?? true else {
      throw CompressError("--patch-work is a number from 1 to 100")
    }
    options.setPatches(noPatches ? false : nil, mostWork: patchWork)
    try ModelExport.checkName(out, options)
    let folder = Folders.parent(of: out)
    try confinement.confine(Rights(readable: Rights.model(model) + [folder], writable: [folder]))
    for path in [out] + ModelExport.others(of: out) where FileManager.default.fileExists(atPath: path) && !overwrite {
      throw CompressError("exists already and is left as it is", hint: "--overwrite, or another name").at(file: path)
    }
    let model = try ModelFile.read(self.model, try reading.options())
    let terminal = Terminal(.output)
    options.file.note = { Terminal(.output).say("not kept: \($0)") }
    var told: [String] = []
    let written = try ModelExport.write(model, to: out, options) { told.append($0) }
    let before = try ModelFile.parts(self.model).reduce(0) { $0 + (try Folders.size(ofFile: $1)) }
    terminal.say(
      "wrote \(terminal.styled(out.escapedForTerminal, .bold)): \(Formatting.bytes(written)); "
        + "\(self.model.escapedForTerminal) has \(Formatting.bytes(before))")
    told.forEach { terminal.say($0) }
  }
}
