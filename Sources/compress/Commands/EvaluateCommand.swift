import Analysis
import ArgumentParser
import Confinement
import Datasets
import Diagnostics
import Files
import Foundation
import Formats
import Pipeline
import Reports

/// `compress evaluate MODEL --on NAME`.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Tell how accurate a model is, class by class.",
    discussion: """
      Runs the model over labelled samples, in the arithmetic it is stored for: the share it gets right with its 95 % \
      interval, the same of each class, and which classes it takes for each other. With --report also a page with the \
      matrix of all classes and the mistakes it is surest of as pictures.

      For example: compress evaluate net.onnx --on cifar10 --normalize cifar10
      """)

  @Argument(help: "A model file.", completion: .file())
  var model: String

  @OptionGroup var data: DataOptions

  @OptionGroup var reading: ReadingOptions

  @OptionGroup var threads: ThreadOptions

  @Option(help: ArgumentHelp("Also write a page to look at.", valueName: "file.html"), completion: .file())
  var report: String?

  @Flag(help: "Add float products up in the order of the definition, never by Winograd's method.")
  var exact = false

  @Flag(help: "One JSON object: model, data, samples, correct, accuracy, accuracy_95, undefined, classes, confusions.")
  var json = false

  @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

  /// A page of an earlier time may go; what else has that name stays.
  private static func checkReplaceable(_ path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else { return }
    let isPage =
      Folders.isFile(path)
      && (try? MappedFile(path).withBytes { $0.prefix(15).elementsEqual("<!DOCTYPE html>".utf8) }) == true
    guard isPage else {
      throw CompressError("exists already and is no page: it is left as it is", hint: "--report with another name")
        .at(file: path)
    }
  }

  func run() throws {
    try Broker.seal()
    if let report { try Self.checkReplaceable(report) }
    let folder = report.map { [Folders.parent(of: $0)] } ?? []
    try confinement.confine(
      Rights(readable: Rights.model(model) + data.readable + ChartLibrary.paths, writable: folder))
    let model = try ModelFile.read(self.model, try reading.options())
    let samples = try data.open(for: model, note: tellAssumption)
    let context = StageContext(
      pool: try threads.pool(), progress: TerminalProgress()
    ).work
    let found = try Predictions(model, on: samples, isExact: exact, context: context)
    let results = ClassResults(
      predictions: found.predictions, labels: found.labels,
      names: samples.classNames ?? model.signature.classes ?? [])
    let evaluation = Evaluation(predictions: found.predictions, labels: found.labels)
    let outcome = EvaluationOutcome(
      model: self.model, data: samples.name, evaluation, results,
      mistakes: report == nil
        ? []
        : try Mistake.surest(
          found.answers, on: samples, labels: found.labels, count: EvaluationPage.mostMistakes))
    if let report { try EvaluationPage(outcome).write(to: report) }
    let terminal = Terminal(.output)
    if json { return try terminal.writeJSON(outcome) }
    terminal.write(EvaluationTable(outcome).rendered(for: terminal))
    if let report {
      terminal.say(terminal.styled("\(report.escapedForTerminal) has the matrix and pictures", .dim))
    }
  }
}
