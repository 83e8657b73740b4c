import ArgumentParser
import Formats
import Reports

/// What commands take that read models of other programs.
struct ReadingOptions: ParsableArguments {
  @Option(
    name: .customLong("input"), parsing: .singleValue,
    help: ArgumentHelp(
      "The shape of an input that varies, of an ONNX or Keras file, with the batch.", valueName: "name=1x3x…"))
  var inputs: [String] = []

  @Flag(help: "Of an ONNX file, leave out operators that are not known and what follows them.")
  var allowUnknown = false

  func options() throws -> ModelFile.ReadOptions {
    let shapes = try inputs.map(ONNXFile.Options.inputShape).map { ($0.name, $0.dims) }
    return ModelFile.ReadOptions(
      inputShapes: Dictionary(shapes) { _, last in last }, allowsUnknown: allowUnknown
    ) { tellAssumption($0) }
  }
}
