import ArgumentParser
import Confinement
import Diagnostics
import Files
import Formats
import Network
import Reports
import Runtime

/// `compress inspect MODEL`.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show a model layer by layer: shapes, parameters, MACs, how it is stored and how it runs.")

  @Argument(help: "A model file, or a file of weights (safetensors, or a PyTorch checkpoint).")
  var model: String

  @Flag(help: "Also show the steps the runtime would take.")
  var plan = false

  @Option(
    name: .customLong("input"), parsing: .singleValue,
    help: ArgumentHelp("The shape of an input that varies, of an ONNX file, with the batch.", valueName: "name=1x3x…"))
  var inputs: [String] = []

  @Flag(help: "Of an ONNX file, leave out operators that are not known and what follows them.")
  var allowUnknown = false

  @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

  func run() throws {
    try Broker.seal()
    try confinement.confine(Rights(readable: Rights.model(model)))
    let shapes = try Dictionary(inputs.map(ONNXFile.Options.inputShape).map { ($0.name, $0.dims) }) { _, last in last }
    let terminal = Terminal(.output)
    if try ModelFile.isWeights(self.model) {
      guard !plan else { throw CompressError("holds weights without a network to run").at(file: self.model) }
      return terminal.write(TensorTable(try ModelFile.weights(self.model)).rendered(for: terminal))
    }
    let model = try ModelFile.read(
      self.model, ModelFile.ReadOptions(inputShapes: shapes, allowsUnknown: allowUnknown) { note in
        let terminal = Terminal(.errors)
        terminal.writeLine(terminal.styled("note: ", .yellow) + note)
      })
    terminal.write(ModelSummaryTable(model).rendered(for: terminal))
    let meaning = SignatureText(model.signature).rendered(for: terminal)
    if !meaning.isEmpty { terminal.write("\n" + meaning) }
    let bytes = try Folders.size(ofFile: self.model)
    terminal.writeLine(
      "\nfile \(Formatting.bytes(bytes)), \(Formatting.bytes(try Gzip.compressedSize(ofFile: self.model))) after gzip -9"
    )
    guard plan else { return }
    terminal.write("\n" + PlanTable(try compile(model)).rendered(for: terminal))
  }
}
