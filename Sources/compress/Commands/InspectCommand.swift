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

  @Argument(help: "A model file, or a file of weights (safetensors, or a PyTorch checkpoint).", completion: .file())
  var model: String

  @Flag(help: "Also show the steps the runtime would take.")
  var plan = false

  @Flag(help: "Also tell how small gzip makes a file of more than 32 MiB; of others it is told anyway.")
  var gzip = false

  @Flag(
    help: ArgumentHelp(
      "One JSON object: file, inputs, outputs, layers and their sums, with --plan steps; of a file of weights its "
        + "tensors."))
  var json = false

  @OptionGroup var reading: ReadingOptions

  @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

  /// Bytes of a file that gzip is done with before anybody wonders.
  private static let mostGzipped = 32 << 20

  func run() throws {
    try Broker.seal()
    try confinement.confine(Rights(readable: Rights.model(model)))
    let terminal = Terminal(.output)
    if try ModelFile.isWeights(self.model) {
      guard reading.inputs.isEmpty, !reading.allowUnknown else {
        throw CompressError("holds weights without a network: there are no inputs, and no operators").at(
          file: self.model)
      }
      guard !plan else { throw CompressError("holds weights without a network to run").at(file: self.model) }
      let weights = try ModelFile.weights(self.model)
      if json { return try terminal.writeJSON(TensorSummary(weights, file: self.model)) }
      return terminal.write(TensorTable(weights).rendered(for: terminal))
    }
    let model = try ModelFile.read(self.model, try reading.options())
    let packed = try ModelFile.isPacked(self.model) ? try PackedFormat.costs(self.model) : nil
    if json {
      return try terminal.writeJSON(
        ModelSummary(
          model, file: self.model, fileBytes: Folders.size(ofFile: self.model),
          gzipBytes: gzip ? Gzip.compressedSize(ofFile: self.model) : nil,
          plan: plan ? compile(model) : nil, packed: packed))
    }
    terminal.write(ModelSummaryTable(model).rendered(for: terminal))
    let meaning = SignatureText(model.signature).rendered(for: terminal)
    if !meaning.isEmpty { terminal.write("\n" + meaning) }
    if let packed { terminal.write("\n" + PackedTable(packed).rendered(for: terminal)) }
    let bytes = try Folders.size(ofFile: self.model)
    // What is packed already gzip makes no smaller.
    guard packed == nil else {
      terminal.writeLine("\nfile \(Formatting.bytes(bytes))")
      return try writePlan(model, terminal)
    }
    let gzipped =
      bytes <= Self.mostGzipped || gzip
      ? "\(Formatting.bytes(try Gzip.compressedSize(ofFile: self.model))) after gzip -9"
      : "after gzip -9 with --gzip, which takes a while"
    terminal.say("\nfile \(Formatting.bytes(bytes)), \(gzipped)")
    try writePlan(model, terminal)
  }

  private func writePlan(_ model: Model, _ terminal: Terminal) throws {
    guard plan else { return }
    terminal.write("\n" + PlanTable(try compile(model)).rendered(for: terminal))
  }
}
