import ArgumentParser
import Confinement
import Devices
import Diagnostics
import Files
import Foundation
import Kernels
import Pipeline
import Reports
import Runtime
import Scripting

/// `compress bench MODEL`.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Time a model on random input.",
    discussion: """
      Runs as stored unless --precision asks for another arithmetic: fp16 and dynamic quantize the weights, int8 also \
      calibrates on random input, so that its speed is real and its predictions are not.

      With --sparsity each layer but the first and the last loses that share of its smallest weights first, with --block \
      in blocks of filters by inputs (1x4 is what int8 kernels leave out), with --pattern 2:4 in a pattern; depthwise \
      convolutions stay as they are. --layers shows which zeros saved time.

      With --pruning it is not run but pruned: what the choice of weights or filters and their removal take, without \
      training.

      With --on it runs on another machine, which ssh reaches with the user's own keys: a small program and the compiled \
      model are copied into a fresh folder there, which is removed again. Threads are then by default all cores there.

      With --training it is trained on random images in memory, with Adam; --runs are steps then, by default as many as \
      fit six seconds, at least eight, after three that do not count.
      """)

  @Argument(help: "A model file, or zoo:NAME for an untrained network.", completion: .model)
  var model: String

  @OptionGroup var reading: ReadingOptions

  @Option(help: "stored, fp32, fp16, dynamic or int8; with --training fp32 or bf16 (default: stored).")
  var precision: BenchPrecision?

  @Flag(
    help:
      "Add float products up in the order of the definition, never by Winograd's method, which is faster and differs in the last digits."
  )
  var exact = false

  @OptionGroup var threading: ThreadOptions

  @Option(parsing: .unconditional, help: "Images at once (default: 1).")
  var batch: Int?

  @Option(
    parsing: .unconditional, help: "Timed runs; by default as many as fit two seconds, at least 20; 3 with --pruning.")
  var runs: Int?

  @OptionGroup(title: "Another machine") var device: DeviceOptions

  @Flag(help: "Time steps of training instead.")
  var training = false

  @Flag(help: "Time pruning instead: --sparsity of the weights, or filters until --macs are left.")
  var pruning = false

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "With --pruning: the plugin to time (default: global_magnitude and filter_l1); may be repeated.",
      valueName: "name"), completion: .pruningPlugin)
  var strategy: [String] = []

  @Option(
    parsing: .unconditional,
    help: "Share of the weights to zero before timing, or with --pruning (there by default 0.8).")
  var sparsity: Double?

  @Option(help: ArgumentHelp("With --sparsity: zero whole blocks, for instance 1x4.", valueName: "filters x inputs"))
  var block: String?

  @Option(
    help: ArgumentHelp("Zero weights in a pattern, for instance 2:4: two of each four stay.", valueName: "keep:of"))
  var pattern: String?

  @Option(parsing: .unconditional, help: "With --pruning: share of the multiply-accumulates to leave (default: 0.5).")
  var macs: Double?

  @Flag(help: "Also show where the time goes: each layer beside what this machine's kernels reach at best.")
  var layers = false

  @Option(
    help: ArgumentHelp(
      "Show times beside those of another time: the file that bench --json wrote, with --layers layer by layer.",
      valueName: "file.json"), completion: .file())
  var compare: String?

  @Option(
    help: ArgumentHelp(
      "Add what each layer takes to this latency table, for the description of a device; a float model is timed in "
        + "float32, in int8 and in mixtures of the two, with one thread unless --threads says otherwise.",
      valueName: "file.json"), completion: .file())
  var table: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Time static int8 quantization with so many random images instead, with each observer, beside forward passes.",
      valueName: "images"))
  var quantize: Int?

  @Flag(
    help: ArgumentHelp(
      "One JSON object: model, precision, threads, batch, p50_ms, p90_ms, p99_ms, max_ms, runs, file_bytes, "
        + "peak_memory_bytes; undefined: images it answers NaN to, if any; device: with --on, which machine it was.")
  )
  var json = false

  @OptionGroup(title: "Confinement") var confinement: ConfinementOptions

  /// Measurements other than the time of a model, and what they have no use for.
  func validate() throws {
    if !reading.inputs.isEmpty || reading.allowUnknown, model.hasPrefix("zoo:") {
      throw ValidationError("--input and --allow-unknown are for files of other programs, not for zoo:NAME")
    }
    let zeros = ["--sparsity", "--block", "--pattern"]
    let modes: [(name: String, isAsked: Bool, unused: [String])] = [
      (
        "--pruning", pruning,
        ["--precision", "--threads", "--batch", "--layers", "--exact", "--compare", "--on"] + zeros.dropFirst()
      ),
      ("--training", training, ["--layers", "--strategy", "--macs", "--exact", "--compare", "--on"] + zeros),
      ("--table", table != nil, ["--batch", "--layers", "--exact", "--compare", "--strategy", "--macs"] + zeros),
      (
        "--quantize", quantize != nil,
        ["--precision", "--batch", "--runs", "--layers", "--strategy", "--macs", "--exact", "--compare", "--on"]
          + zeros
      ),
    ]
    let asked = modes.filter(\.isAsked)
    guard asked.count <= 1 else {
      throw ValidationError("\(asked.map(\.name).joined(separator: " and ")) are two measurements")
    }
    let given: [(name: String, isGiven: Bool)] = [
      ("--precision", precision != nil), ("--threads", threading.threads != nil), ("--batch", batch != nil),
      ("--runs", runs != nil),
      ("--layers", layers), ("--exact", exact), ("--compare", compare != nil),
      ("--strategy", !strategy.isEmpty), ("--sparsity", sparsity != nil), ("--block", block != nil),
      ("--pattern", pattern != nil),
      ("--macs", macs != nil), ("--on", device.on != nil),
    ]
    let unused = asked.first?.unused ?? ["--strategy", "--macs"]
    if compare != nil, json { throw ValidationError("--compare is for people: --json has the times of now alone") }
    if let name = given.first(where: { $0.isGiven && unused.contains($0.name) })?.name {
      throw ValidationError(asked.first.map { "\(name) says nothing with \($0.name)" } ?? "\(name) goes with --pruning")
    }
  }

  func run() throws {
    let scratch = try Scratch.begin()
    let remote = try device.known()
    try Broker.seal()
    let others = try (compare.map { [$0] } ?? []) + PluginFolders(script: nil, given: []).readable
    try confinement.confine(
      Rights(
        readable: Rights.model(model) + others + (remote == nil ? [] : RunnerProgram.all)
          + (table.map { [Folders.parent(of: $0)] } ?? []),
        writable: [scratch] + (table.map { [Folders.parent(of: $0)] } ?? [])))
    let earlier = try compare.map { try EarlierBench(file: $0) }
    if let quantize { return try timeQuantization(quantize) }
    if pruning { return try runPruning() }
    if training { return try runTraining() }
    if let table { return try runTable(table, remote) }
    if remote == nil { threading.tellTooMany() }
    let report = try measured(remote), batch = report.batch
    let terminal = Terminal(.output)
    let otherWork = Self.otherWork(report)
    if json {
      if let otherWork { Terminal(.errors).writeLine(otherWork) }
      return try terminal.writeJSON(report)
    }
    var table = TextTable([
      ("precision", .left), ("threads", .right), ("batch", .right), ("p50", .right), ("p90", .right), ("p99", .right),
      ("max", .right),
      ("images/s", .right), ("runs", .right), ("memory", .right),
    ])
    table.add([
      TextTable.Cell(report.precision, .bold), TextTable.Cell("\(report.threads)"), TextTable.Cell("\(report.batch)"),
      TextTable.Cell(Formatting.duration(report.p50 / 1e3)), TextTable.Cell(Formatting.duration(report.p90 / 1e3)),
      TextTable.Cell(Formatting.duration(report.p99 / 1e3)), TextTable.Cell(Formatting.duration(report.max / 1e3)),
      TextTable.Cell(Formatting.count((Double(report.batch) / report.p50 * 1e3).rounded(.towardZero))),
      TextTable.Cell("\(report.runs)"),
      TextTable.Cell(Formatting.bytes(report.peakMemoryBytes)),
    ])
    terminal.write(table.rendered(for: terminal))
    if let device = report.device { terminal.say(DeviceText.sentence(device)) }
    if let otherWork { terminal.say(otherWork) }
    if let undefined = report.undefined {
      terminal.say(
        terminal.styled("NaN: ", .red, .bold)
          + "the model answers NaN to \(undefined) of \(batch) random \(batch == 1 ? "image" : "images"); "
          + "what it is timed at is no answer")
    }
    if let earlier { Self.tell(report, beside: earlier, terminal) }
    guard let layers = report.layers else { return }
    let peaks = remote == nil ? try MachinePeaks(pool: ThreadPool(threads: threading.count)) : nil
    terminal.write("\n" + Self.table(layers, peaks, earlier).rendered(for: terminal))
  }

  private func measured(_ remote: RemoteDevice?) throws -> BenchReport {
    let sparsity =
      sparsity == nil && block == nil && pattern == nil
      ? nil : try BenchSparsity(share: sparsity, block: block, pattern: pattern)
    let reading = try reading.options(), precision = precision ?? .stored, batch = batch ?? 1
    guard let remote else {
      return try BenchReport(
        model: model, reading: reading, precision: precision, threads: threading.count, batch: batch, runs: runs,
        perLayer: layers, isExact: exact, sparsity: sparsity)
    }
    return try BenchReport(
      model: model, on: remote, reading: reading, precision: precision, threads: threading.threads, batch: batch,
      runs: runs, perLayer: layers, isExact: exact, sparsity: sparsity)
  }

  private static func tell(_ report: BenchReport, beside earlier: EarlierBench, _ terminal: Terminal) {
    terminal.say(
      "before: p50 \(Formatting.duration(earlier.p50 / 1e3)); now it takes "
        + "\(Formatting.factor(report.p50 / earlier.p50)) that time")
    let differences = earlier.differences(from: report)
    guard !differences.isEmpty else { return }
    terminal.say(
      terminal.styled("not the same measurement: ", .yellow)
        + differences.joined(separator: "; ").escapedForTerminal)
  }

  /// What else computed while the model was timed; nil when nothing was noticed.
  private static func otherWork(_ report: BenchReport) -> String? {
    guard let load = report.load else { return nil }
    let fillsMachine = report.threads > ProcessInfo.processInfo.activeProcessorCount
    let remarks = OtherWork([load], fillsMachine: fillsMachine).remarks
    guard !remarks.isEmpty else { return nil }
    return "other work ran on this machine while it was timed: \(remarks.joined(separator: ", ")); "
      + "times are longer and less sure"
  }
}

extension BenchCommand {
  private func timeQuantization(_ images: Int) throws {
    let found = try QuantizationBench(
      model: model, reading: try reading.options(), images: images, threads: threading.count)
    let terminal = Terminal(.output)
    if json { return try terminal.writeJSON(found) }
    var table = TextTable([("what", .left), ("time", .right), ("to forward", .right)])
    table.add([
      TextTable.Cell("\(images) forward passes", .bold), TextTable.Cell(Formatting.duration(found.forwardSeconds)), "",
    ])
    for row in found.rows {
      table.add([
        TextTable.Cell("int8, \(row.observer)", .bold), TextTable.Cell(Formatting.duration(row.seconds)),
        TextTable.Cell(Formatting.factor(row.ratio)),
      ])
    }
    terminal.write(table.rendered(for: terminal))
    terminal.say("peak memory \(Formatting.bytes(found.peakMemoryBytes))")
  }
}

extension BenchPrecision: ExpressibleByArgument {}
