import ArgumentParser
import Confinement
import Diagnostics
import Pipeline
import Reports

/// `compress conformance FOLDER`.
struct ConformanceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conformance", abstract: "Hold what is computed from ONNX files against the outputs they should give.",
    discussion: """
      The folder is laid out like ONNX's tests of operators: CASE/model.onnx, and in CASE/test_data_set_0 the tensors \
      input_0.pb … and output_0.pb …. A case passes where no element is further off than 1e-4 of the largest one; what \
      is not supported is out of scope, with its reason. Ends with one line: N passed, N out of scope, N failed.
      """)

  @Argument(help: "A folder of cases.", completion: .directory)
  var folder: String

  @Flag(help: "Also name the cases that pass.")
  var verbose = false

  @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

  func run() throws {
    try confinement.confine(Rights(readable: [folder]))
    let terminal = Terminal(.output)
    let conformance = try Conformance(folder) { name, verdict in
      switch verdict {
      case .passed(let deviation): if verbose { terminal.say("passed        \(name): off by \(deviation)") }
      case .outOfScope(let reason): terminal.say("out of scope  \(name): \(reason)")
      case .failed(let reason): terminal.say("FAILED        \(name): \(reason)")
      }
    }
    terminal.say(conformance.summary)
    guard conformance.failures == 0 else { throw ExitCode(2) }
  }
}
