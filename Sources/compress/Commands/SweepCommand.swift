import ArgumentParser
import Confinement
import Diagnostics
import Experiments
import Files
import Foundation
import Pipeline
import Reports
import Scripting

/// `compress sweep FILE`.
struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep", abstract: "Run a pipeline for many values of its params.",
    discussion: """
      FILE is a pipeline with params, or a Lua file that ends with: return sweep { … }. What points have in common is \
      computed once. DIR/index.html shows all points, DIR/table.csv lists them, DIR/points has a folder for each; every \
      point is recorded: compress runs list. Stopped or killed, the same command with --resume goes on.

      For example: compress sweep pipelines/mnist_lab.lua --grid sparsity=0.5:0.9:0.1 --seeds 3 --jobs 2 --out sweep
      """)

  @OptionGroup var options: ScriptOptions

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "What to sweep over: k=v1,v2 or k=from:to:step; to sample also k=from:to, k=from:to:log.", valueName: "axis"),
    completion: .param)
  var grid: [String] = []

  @Option(parsing: .unconditional, help: ArgumentHelp("Seeds of every point, counted from --seed.", valueName: "n"))
  var seeds: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("So many points at random instead of every combination.", valueName: "n"))
  var random: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("So many points of a Latin hypercube instead of every combination.", valueName: "n"))
  var latin: Int?

  @Option(
    help: ArgumentHelp("Where everything goes (default: sweeps/NAME in the user's data).", valueName: "dir"),
    completion: .directory)
  var out: String?

  @Option(parsing: .unconditional, help: "Worker processes; --threads is for each (default: all cores, divided).")
  var jobs = 1

  @Flag(help: "Go on with the sweep in DIR.")
  var resume = false

  @Flag(help: "With --resume: run points that failed once more.")
  var retryFailed = false

  @Flag(help: "Do not keep the model files of every point.")
  var noModels = false

  @Flag(help: "Only show the points, which of their stages are at hand, and how long they may take.")
  var dryRun = false

  @Flag(help: "Write the runs as a JSON array, as runs export --json does; with --dry-run the points.")
  var json = false

  @OptionGroup(title: "Search") var search: SearchOptions

  @Option(help: ArgumentHelp("Where points run: local, or slurm, as tasks of job arrays.", valueName: "place"))
  var on = Place.local

  @Option(
    name: .customLong("slurm"), parsing: .singleValue,
    help: ArgumentHelp("With --on slurm: an option for sbatch, such as --slurm=--partition=main.", valueName: "option"))
  var slurmOptions: [String] = []

  @Option(help: ArgumentHelp("Also log every run to the MLflow server at this address.", valueName: "url"))
  var mlflow: String?

  enum Place: String, ExpressibleByArgument, CaseIterable { case local, slurm }

  func validate() throws {
    if on == .local, !slurmOptions.isEmpty { throw ValidationError("--slurm goes with --on slurm") }
    if random != nil, latin != nil { throw ValidationError("--random and --latin: give one of them") }
    for (name, value) in [
      ("--jobs", jobs), ("--seeds", seeds ?? 1), ("--random", random ?? 1), ("--latin", latin ?? 1),
    ]
    where !(1...100_000).contains(value) {
      throw ValidationError("\(name) \(value): must be 1 to 100000")
    }
    if retryFailed, !resume { throw ValidationError("--retry-failed goes with --resume") }
  }

  func run() throws {
    let programs = try confine()
    let cancellation = Cancellation()
    let signals = StopSignals(cancellation)
    defer { signals.stop() }
    let (definition, declared) = try definition()
    if dryRun { return try rehearse(definition) }
    let folder = try SweepFolder(out ?? Self.standardFolder(definition))
    let view = SweepView(folder, jobs: jobs)
    let logger = try programs.log.map { program in
      let script = URL(fileURLWithPath: definition.script).deletingPathExtension().lastPathComponent
      return try LoggingProcess(program, experiment: script)
    }
    let coordinator = try SweepCoordinator(
      definition, in: folder, workers: workers(programs, folder), store: RunStore.ofUser(), logger: logger,
      version: Compress.version, resuming: resume, retriesFailed: retryFailed, observer: view,
      cancellation: cancellation)
    defer { view.close() }
    let finals: [SweepDefinition.Point]
    do { finals = try run(coordinator, declared) } catch let error as CompressError {
      view.close()
      guard error.kind == .cancelled else { throw error }
      throw CompressError(
        "stopped on request; \(coordinator.outcomes.count) of \(coordinator.definition.points.count) points are done",
        kind: .cancelled, hint: "the same command with --resume goes on")
    }
    view.close()
    if coordinator.unlogged > 0 {
      view.note("MLflow did not take \(coordinator.unlogged) runs; the same command with --resume tries again")
    }
    let terminal = Terminal(.output)
    if json {
      var query = RunQuery()
      query.filters = [try RunFilter("sweep=\(coordinator.number)")]
      query.variants = .all
      query.sort = "point"
      query.isAscending = true
      try RunsCommand.export(query, .json, RunStore.ofUser(), to: terminal)
      if coordinator.outcomes.values.contains(where: { $0.status == .failed }) { throw ExitCode(5) }
      return
    }
    if let goal = coordinator.definition.goal {
      terminal.write(
        SweepSearchText(goal, coordinator.definition, coordinator.outcomes, finals: finals).rendered(for: terminal))
    }
    terminal.write(SweepSummary(coordinator.definition, coordinator.outcomes).rendered(for: terminal))
    terminal.say(
      terminal.styled(
        "sweep \(coordinator.number): index.html, table.csv, and each point's results and report are in", .dim))
    terminal.say(terminal.styled(folder.path.escapedForTerminal, .dim))
    if coordinator.outcomes.values.contains(where: { $0.status == .failed }) { throw ExitCode(5) }
  }

  private func rehearse(_ definition: SweepDefinition) throws {
    var session = try options.rehearsalOptions()
    session.script = definition.script
    let executor = try options.makeExecutor(progress: TerminalProgress())
    let rehearsal = try SweepRehearsal(definition, session, executor, RunStore.ofUser().durations())
    let terminal = Terminal(.output)
    if json { return try terminal.writeJSON(rehearsal.plan) }
    terminal.write(rehearsal.rendered(for: terminal, jobs: jobs))
  }

  private func workers(_ programs: BrokeredPrograms, _ folder: SweepFolder) throws -> any SweepWorkers {
    if let slurm = programs.slurm { return try SlurmWorkers(folder, slurm) }
    return LocalWorkers(
      jobs: jobs, program: programs.point, values: out == nil ? [folder.path] : [], folder: folder)
  }

  /// What the broker starts for a sweep.
  private struct BrokeredPrograms {
    let point: BrokeredProgram
    let slurm: SlurmPrograms?
    let log: BrokeredProgram?
  }

  /// Makes the programs known, then confines this process: what a sweep needs is decided by its command line.
  private func confine() throws -> BrokeredPrograms {
    // Where the sweep goes without --out depends on what its files say.
    let folders = try out ?? Self.standardFolders()
    var rights = try options.rights(writing: [folders], computes: true)
    // Also without the cache points take turns at measuring, by locks beside the store.
    if options.noCache {
      let store = try StageStore.ofUser()
      try store.prepare()
      rights.writable.append(store.root)
    }
    let programs = BrokeredPrograms(
      point: try Programs.point(of: out.map(Folders.absolute), rights, options.confinement),
      slurm: on == .local
        ? nil
        : try SlurmPrograms(
          point: Programs.task(rights, options.confinement), options: slurmOptions, most: jobs, threads: threads),
      log: try mlflow.map { try Programs.log(to: $0, files: folders, options.confinement) })
    rights.writable += [try Scratch.begin()] + Rights.runs
    try Broker.seal()
    try options.confinement.confine(rights)
    return programs
  }

  /// Of each run.
  private var threads: Int { options.threads ?? max(1, ProcessInfo.processInfo.activeProcessorCount / jobs) }

  /// Returns the points that count in the end.
  private func run(
    _ coordinator: SweepCoordinator, _ declared: [ParamDeclaration]
  ) throws -> [SweepDefinition.Point] {
    let definition = coordinator.definition
    guard let goal = definition.goal else {
      try coordinator.run(definition.points)
      return definition.points
    }
    let isInteger = declared.first { $0.name == goal.budget?.param }?.isInteger ?? false
    return try SweepSearch(goal).run(definition.points, isInteger: isInteger) { points in
      try coordinator.run(points)
      return coordinator.outcomes
    }
  }

  /// What is asked for, and the script's params.
  private func definition() throws -> (SweepDefinition, [ParamDeclaration]) {
    let file =
      try SweepFile.looksLikeSweep(options.script)
      ? SweepFile(options.script, seed: options.seed, limits: options.limits.limits()) : nil
    var session = try options.sessionOptions()
    session.script = Folders.absolute(file?.script ?? options.script)
    session.data = options.data.map(Folders.absolute)
    session.plugins = options.plugins.map(Folders.absolute)
    // The command line changes what the file says.
    var space = file?.space ?? SweepSpace()
    for axis in try grid.map(SweepAxis.init) {
      if let known = space.axes.firstIndex(where: { $0.name == axis.name && file != nil }) {
        space.axes[known] = axis
      } else {
        space.axes.append(axis)
      }
      space.fixed.removeAll { $0.name == axis.name && file != nil }
    }
    for setting in session.settings {
      if file == nil { space.fixed.append(setting) } else { space.fix(setting.name, setting.value) }
    }
    if let seeds {
      space.seeds = try SweepSpace.seeds(seeds, from: options.seed)
    } else if file == nil {
      space.seeds = [options.seed]
    }
    if let random { space.sampling = .random(random) }
    if let latin { space.sampling = .latin(latin) }

    let declared = try ScriptSession.declarations(of: session)
    let terminal = Terminal(.errors)
    for sentence in try space.dropRepeated(declared: declared) {
      terminal.write(terminal.told("note: ", .yellow, text: sentence.escapedBlock))
    }
    var points = try space.points(declared: declared, seed: options.seed)
    let goal = try search.goal()
    if let goal {
      try SweepSearch.check(goal, space, declared: declared)
      points = SweepSearch.first(points, goal, declared: declared)
    }
    let run = SweepDefinition.Run(
      data: session.data, plugins: session.plugins, limits: session.limits, dataMemory: session.dataMemory,
      usesCache: !options.noCache, keepsModels: !noModels, output: session.output)
    let definition = SweepDefinition(
      script: session.script, scriptDigest: try Digest.of(file: session.script), axes: space.axes.map(\.name),
      fixed: space.fixed.map { SweepDefinition.Setting(name: $0.name, value: $0.value) }, points: points, goal: goal,
      run: run, threads: threads)
    return (definition, declared)
  }

  /// The same sweep has the same folder.
  private static func standardFolder(_ definition: SweepDefinition) throws -> String {
    let name = URL(fileURLWithPath: definition.script).deletingPathExtension().lastPathComponent
    return "\(try standardFolders())/\(name)-\(try definition.identity.prefix(8))"
  }

  private static func standardFolders() throws -> String {
    guard let data = Folders.data else {
      throw CompressError("there is no folder for the sweep", kind: .system, hint: "give --out DIR")
    }
    return "\(data)/sweeps"
  }
}
