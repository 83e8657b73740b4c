import ArgumentParser
import Confinement
import Diagnostics
import Files
import Formats
import Foundation
import Network
import Pipeline
import Reports

/// `compress pack MODEL -o FILE [--within 0.1 --on NAME]`.
struct PackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Write a model as a packed file: entropy-coded, the same to the last bit unless told otherwise.",
    discussion: """
      Reads any model file, told by its content. Every command opens a packed file as it is; unpack gives back the \
      native file. It takes a second or two for ten million weights, and as long as that to open, a tenth of it with \
      --fast.

      With --within, --bytes or --lambda weights are rounded before, to the levels that make the file smallest for \
      what the outputs err, as pack(model, { … }) in a script does it. Of a data set the training half is taken: what it \
      costs is to be measured on the other.

      For example: compress pack net.onnx -o net.cmpz --within 0.1 --on cifar10 --normalize cifar10
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

  @Option(
    help: ArgumentHelp(
      "Round weights: at most so many points of accuracy less on the data, or hundredths of the outputs' cosine where "
        + "it has no labels.", valueName: "points"))
  var within: Double?

  @Option(help: ArgumentHelp("Round weights: the largest packed file.", valueName: "bytes"))
  var bytes: Int?

  @Option(
    help: ArgumentHelp(
      "Round weights: the squared error of the outputs, relative to theirs, that a bit for every weight is worth; 0.01 "
        + "is a good start.", valueName: "trade"))
  var lambda: Double?

  @Option(help: "How many samples, drawn at random, are looked at by those who round.")
  var samples = PackStage.standardSamples

  @OptionGroup(title: "Samples") var data: DataOptions

  @OptionGroup var threads: ThreadOptions

  @OptionGroup var reading: ReadingOptions

  @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

  /// What weights are rounded for; nil where they stay as they are.
  private func goal() throws -> PackStage.Goal? {
    let goals: [PackStage.Goal] =
      [within.map { .within($0 / 100) }, bytes.map { .bytes($0) }, lambda.map { .lambda($0) }].compactMap { $0 }
    guard goals.count <= 1 else { throw ValidationError("one of --within, --bytes and --lambda, not \(goals.count)") }
    if goals.isEmpty, data.name != nil {
      throw ValidationError("--on is for rounding weights: --within 0.1, --bytes 100000 or --lambda 0.01")
    }
    return goals.first
  }

  func validate() throws { _ = try goal() }

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
      Rights(
        readable: Rights.model(model) + (try goal() == nil ? [] : data.readable) + [Folders.parent(of: out)],
        writable: [Folders.parent(of: out)]))
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
    let source = try rounded(try ModelFile.read(model, try reading.options()), progress)
    let numbers = source.allParameters.reduce(0) { $0 + $1.parameter.count }
    progress.begin("pack \(model)", total: numbers)
    var options = options
    options.progress = { done, _ in progress.update(done: min(done, numbers), detail: "") }
    let written = try ModelFile.write(source, to: out, options)
    progress.end(detail: "")
    return written
  }
}

extension PackCommand {
  /// The model as it is to be packed.
  private func rounded(_ model: Model, _ progress: TerminalProgress) throws -> Model {
    guard let goal = try goal() else { return model }
    let samples = try data.open(for: model, training: true, note: tellAssumption)
    let stage = try PackStage(goal, data: samples, samples: self.samples)
    _ = try stage.graph(inputs: [model.graph])
    let result = try stage.run(
      inputs: [model],
      context: StageContext(
        pool: try threads.pool(), progress: progress, cancellation: Cancellation.current ?? Cancellation()))
    for warning in result.record.warnings ?? [] { progress.note(warning) }
    return result.model
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
