import Analysis
import ArgumentParser
import Confinement
import Diagnostics
import Formats
import Network
import Pipeline
import Reports

/// `compress compare A B --on NAME`.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Tell where a quantized model departs from its original.",
    discussion: """
      Runs both on the same samples: how accurate each is (where the network's output is no vector of scores: how far \
      outputs agree), how many predictions change, how far each layer's output is off (with everything before it \
      quantized, too, and with that layer alone quantized), and which samples \
      are furthest off. SQNR is signal to noise in decibels; 20 dB is an error of a tenth. Layers whose channels were \
      scaled by equalization are told, and compared with the original's scaled alike.
      """)

  @Argument(help: "The original: a model file.", completion: .file())
  var original: String

  @Argument(help: "What was made of it: a model file.", completion: .file())
  var changed: String

  @OptionGroup var data: DataOptions

  @OptionGroup var reading: ReadingOptions

  @Option(parsing: .unconditional, help: "The first so many samples that layers are compared on; 0 for none.")
  var layers = 64

  @Option(parsing: .unconditional, help: "How many of the samples that are furthest off to name.")
  var worst = 10

  @OptionGroup var threads: ThreadOptions

  @Flag(
    help: ArgumentHelp(
      "One JSON object: original, changed, data, samples, accuracy or outputs, flips, layers, worst; samples and "
        + "classes count from 0."))
  var json = false

  @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

  func run() throws {
    try Broker.seal()
    try confinement.confine(Rights(readable: Rights.model(original) + Rights.model(changed) + data.readable))
    // Shapes that one of the two asks for say nothing of the other where its inputs are fixed.
    func read(_ file: String, isOther: Bool) throws -> Model {
      try ModelFile.read(file, isOther ? ModelFile.ReadOptions() : reading.options())
    }
    let fixed = try [original, changed].map { try !ModelFile.mayVary($0) }
    let first = try read(original, isOther: fixed[0] && !fixed[1])
    let second = try read(changed, isOther: fixed[1] && !fixed[0])
    let test = try data.open(for: first, note: tellAssumption)
    guard layers >= 0, worst >= 0 else { throw CompressError("--layers and --worst are numbers from 0 up") }
    let context = StageContext(pool: try threads.pool(), progress: TerminalProgress())
    let found = try Differences(first, second, on: test, layerSamples: layers, worstCount: worst, context: context.work)
    let terminal = Terminal(.output)
    if json {
      return try terminal.writeJSON(
        DifferencesSummary(found, original: original, changed: changed, data: test.name))
    }
    terminal.write(DifferencesTable(found).rendered(for: terminal))
  }
}
