import Datasets
import Diagnostics
import Files
import Kernels
import LuaHost
import Network
import Pipeline
import Reports
import Tensors

/// One run of one script: a sandboxed Lua state with everything a pipeline can say, and what it said.
///
/// The script runs to its end in milliseconds: `train`, `prune` and `quantize` record stages, and only
/// what the script reads back (`evaluate(m).accuracy`, `m:layers()`) is computed on the way.
public final class ScriptSession {
  public struct Options {
    /// The script's path as the user gave it.
    public var script: String
    public var seed: UInt64 = 0
    /// `--set name=value`, as text.
    public var settings: [(name: String, value: String)] = []
    /// `--data`.
    public var data: String?
    /// `--plugins`, nearest first.
    public var plugins: [String] = []
    /// `--out`: the only folder a script writes to.
    public var out: String?
    public var limits = LuaLimits()
    /// `--data-memory`: what decoded data may be held in.
    public var dataMemory = DataMemory.standardLimit
    /// `--out-size`, `--out-files`, `--print-size`.
    public var output = OutputLimits()

    /// Whether the script is only to say what it would do: what it saves is not written, nor computed for that.
    public var isRehearsal = false

    /// Ends the script where it has declared its params.
    var declareOnly = false

    public init(script: String) { self.script = script }
  }

  /// What the script asked for.
  public struct Outcome {
    public let comparison: Comparison?
    /// Every stage recorded, in order.
    public let stages: [Stage]
    /// Declared parameters with their values.
    public let params: [(name: String, value: ParamValue)]
    /// SHA-256 of the script's text.
    public let digest: String
    /// Those among the stages that could not be computed, or build on one that could not, and that the script went on
    /// without: it caught the error and recorded nothing on top of them.
    public let abandoned: [Stage]
    /// Whether the script printed or saved anything.
    public let hasOutput: Bool

    /// Whether the comparison needs the stage: then it is asked for, whatever became of it before.
    public func isCompared(_ stage: Stage) -> Bool {
      comparison?.variants.contains { $0.stage.lineage.contains { $0 === stage } } ?? false
    }

    /// The stages that no other starts from, but for abandoned ones: what the script was written for.
    public var leaves: [Stage] {
      let kept = abandoned.isEmpty ? stages : stages.filter { stage in !abandoned.contains { $0 === stage } }
      return kept.filter { stage in !kept.contains { $0.inputs.contains { $0 === stage } } }
    }
  }

  let options: Options
  let state: LuaState
  let executor: Executor
  let registry: PluginRegistry
  /// Data sets in the order they were opened.
  var opened: [DataPairObject] = []
  let dataMemory: DataMemory
  /// What the script may still save.
  let saving: WriteBudget
  /// Image folders that were opened, for what turns out to be broken in them, and how much of it was told.
  var folders: [(folder: ImageFolder, told: Int)] = []
  var comparison: Comparison?
  var params: [(name: String, value: ParamValue)]?
  var declarations: [ParamDeclaration] = []
  var stages: [Stage] = []
  /// Stages whose networks were asked for and not their weights.
  private var templates: [Stage] = []
  /// Stages that were recorded on top of one that was known to have failed: somebody asks for it still.
  private var insisted: [Stage] = []
  /// More than zero while a plugin's function runs.
  private var policyDepth = 0
  /// Values of networks that the script has made.
  var madeValues = 0
  private let printing: WriteBudget

  /// - Throws: `CompressError` when a plugin folder does not exist.
  public init(_ options: Options, executor: Executor, print: @escaping (String) -> Void) throws {
    self.options = options
    self.executor = executor
    dataMemory = DataMemory(limit: options.dataMemory, store: executor.unpacked)
    saving = options.output.saving()
    let printing = options.output.printing()
    self.printing = printing
    let progress = executor.context.progress
    state = LuaState(
      limits: options.limits, seed: options.seed, random: { SeededRandom(seed: $0) },
      print: { text in
        let shown = text.escapedLines
        try printing.take(bytes: shown.utf8.count + 1)
        // What stands on the terminal would stay in front of it.
        progress.show(nil)
        print(shown)
      })
    state.onLasting = { lasting in
      progress.show(
        lasting.map {
          let file = $0.script.split(separator: "/").last.map(String.init) ?? $0.script
          return "running \(file), line \($0.line), \(Formatting.clock($0.seconds))"
        })
    }
    registry = PluginRegistry(
      folders: try PluginFolders(script: Folders.parent(of: options.script), given: options.plugins), state: state,
      note: progress.note)
    try state.defineTensors()
    definePlugins()
    defineData()
    try defineOwnData()
    try defineModels()
    defineParams()
    defineTrainingMoments()
    defineStages()
    definePruning()
    defineShapes()
    defineSensitivity()
    defineDifferences()
    definePack()
    defineMeasurements()
  }

  /// Stops a running script from another thread.
  public var interrupt: LuaInterrupt { state.interrupt }

  /// The params a script declares, without running what comes after them.
  ///
  /// - Throws: `CompressError` with script and line when it does not get as far; when it declares none, the list is
  ///   empty.
  public static func declarations(of options: Options) throws -> [ParamDeclaration] {
    var options = options
    options.declareOnly = true
    options.settings = []
    let executor = Executor(context: StageContext(pool: try ThreadPool(threads: 1)), store: nil)
    let session = try ScriptSession(options, executor: executor, print: { _ in })
    do { _ = try session.run() } catch {
      guard session.params != nil else { throw error }
    }
    return session.declarations
  }

  /// Runs the script.
  ///
  /// - Throws: `CompressError` with script and line.
  public func run() throws -> Outcome {
    let source = try ScriptFile.read(options.script)
    _ = try state.call(try state.load(source, name: options.script))
    if params == nil, let setting = options.settings.first {
      throw CompressError("--set \(setting.name): the script declares no params").at(script: options.script, line: nil)
    }
    comparison?.scans = stages.filter { $0.work is SensitivityStage }
    let stages = wantedStages
    return Outcome(
      comparison: comparison, stages: stages, params: params ?? [], digest: Digest.of(source),
      abandoned: stages.filter { stage in executor.hasFailed(stage) && !insisted.contains { $0 === stage } },
      hasOutput: printing.isTouched || saving.isTouched)
  }

  /// What `params` declared, with the values of this run; nil before it was called.
  public var declaredParams: [(name: String, value: ParamValue)]? { params }

  /// The plugins the script used so far, by name, with the SHA-256 of their files.
  public var usedPlugins: [String: String] { registry.digests }

  /// Tells of the images that could not be read, as far as that was not done yet.
  public func noteBrokenImages() {
    for index in folders.indices {
      let folder = folders[index].folder, items = folder.broken.items
      guard items.count > folders[index].told else { continue }
      folders[index].told = items.count
      executor.context.progress.note(BrokenImageText.of(items, in: folder.name))
    }
  }

  // MARK: For the bindings

  /// Where the script is now.
  func origin() -> Stage.Origin? {
    state.callerLocation().map { Stage.Origin(script: $0.script, line: $0.line) }
  }

  /// Stages that a script may record.
  static let mostStages = 10_000

  /// - Throws: `CompressError` while a plugin's function runs: what it recorded would depend on when it is called.
  func record(_ work: any StageWork, _ inputs: [Stage]) throws -> Stage {
    guard policyDepth == 0 else { throw CompressError("plugins cannot record stages; the pipeline does") }
    guard stages.count < Self.mostStages else {
      throw CompressError("a script records at most \(Self.mostStages) stages", kind: .limit)
    }
    let stage = try Stage(work, inputs: inputs, origin: origin())
    try state.keepNative(bytes: stage.bytes)
    stages.append(stage)
    if executor.hasFailed(stage) { insisted.append(stage) }
    return stage
  }

  /// Notes that only the network of a stage is needed, unless something else starts from it.
  func useAsTemplate(_ stage: Stage) { templates.append(stage) }

  private var wantedStages: [Stage] {
    stages.filter { stage in
      !templates.contains { $0 === stage } || stages.contains { $0.inputs.contains { $0 === stage } }
        || comparison?.variants.contains { $0.stage === stage } == true
    }
  }

  /// What asking for a model counts for, in instructions, and what measuring one does: a script may ask a thousand
  /// times, and not for ever.
  private static let readingUnits = 20_000, measuringUnits = 1_000_000

  /// What a model that had to be computed for the question counts for besides, for each of its parameters: it is more
  /// than looking it up, and each may go to the store.
  private static let unitsPerParameter = 2.0 / 3

  /// The model that a stage yields; the engine computes what is missing.
  func ready(_ model: ModelObject) throws -> Model {
    state.charge(Self.readingUnits)
    if executor.isAvailable(model.stage) { return try state.engineWork { try executor.model(of: model.stage) } }
    let computed = try state.engineWork { try executor.model(of: model.stage) }
    let parameters = computed.tensors.reduce(0) { $0 + $1.count }
    state.charge(Int(saturating: Double(parameters) * Self.unitsPerParameter))
    return computed
  }

  /// Runs a measurement of the engine that the script waits for.
  func measuring<R>(_ body: () throws -> R) throws -> R {
    state.charge(Self.measuringUnits)
    return try state.engineWork(body)
  }

  /// Calls a plugin's function, its main one unless another is given; errors without a place of their own name the
  /// plugin's file.
  func call(_ plugin: Plugin, _ arguments: [LuaValue], function: LuaFunction? = nil) throws -> LuaValue {
    policyDepth += 1
    defer { policyDepth -= 1 }
    do {
      let result = try state.call(function ?? plugin.function, arguments).first ?? .nil
      try plugin.module.check()
      return result
    } catch let error as CompressError {
      throw error.at(script: plugin.path, line: nil)
    }
  }

  /// Calls a function among the options, which has a plugin's restrictions.
  func call(_ function: LuaFunction, _ arguments: [LuaValue]) throws -> LuaValue {
    policyDepth += 1
    defer { policyDepth -= 1 }
    return try state.call(function, arguments).first ?? .nil
  }

  /// A file the script names for reading: under the script's folder or `--data`, by no detour.
  func inputs(_ name: String) throws -> String {
    let roots = [Folders.parent(of: options.script), options.data].compactMap { $0 }
    return try FileRoots.existing(name, under: roots)
  }

  /// A file the script names for writing: under `--out`.
  func outputs(_ name: String) throws -> String {
    guard let out = options.out else {
      throw CompressError("there is no folder to save \"\(name.escapedForTerminal)\" in", hint: "run with --out DIR")
    }
    return try FileRoots.writable(name, under: out)
  }
}
