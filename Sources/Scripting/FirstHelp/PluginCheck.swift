import Analysis
import Compression
import Datasets
import Devices
import Diagnostics
import Files
import Formats
import Foundation
import Kernels
import LuaHost
import Network
import Pipeline
import Tensors

/// A plugin tried out on a tiny network with generated digits: what `compress check` does with a plugin's file.
public struct PluginCheck {
  public let plugin: PluginCatalog.Description
  /// Required options, with the values that the check chose for them.
  public internal(set) var assumed: [String] = []
  /// What was done, and what came of it.
  public internal(set) var results: [(what: String, outcome: String)] = []
  /// A schedule's values, t from 0 to 1 in equal steps.
  public internal(set) var curve: [Double] = []
  /// What works, but hardly as meant.
  public internal(set) var warnings: [String] = []
  public internal(set) var problems: [CompressError] = []

  /// - Parameters:
  ///   - options: the plugin's file, `NAME.lua`, as their script, where else plugins are looked for, and what its
  ///     functions may use.
  ///   - threads: to compute with.
  /// - Throws: `CompressError` when the file declares no plugin; what its functions do wrong goes to `problems`.
  public init(_ options: ScriptSession.Options, threads: Int = 1) throws {
    let path = options.script
    guard path.hasSuffix(".lua"), let file = path.split(separator: "/").last else {
      throw CompressError("a plugin's file is called NAME.lua").at(file: path)
    }
    let executor = Executor(context: StageContext(pool: try ThreadPool(threads: threads)), store: nil)
    let session = try ScriptSession(options, executor: executor, print: { _ in })
    let plugin = try session.registry.plugin(String(file.dropLast(4)))
    self.plugin = try PluginCatalog.Description(plugin)
    let ground = try TestGround(executor)
    do {
      let bound = try bind(plugin, session, ground)
      switch plugin.kind {
      case .pruning: try tryPruning(LuaPruningPolicy(bound, session), ground)
      case .schedule: try trySchedule(LuaSchedule(bound, session))
      case .quantization: try tryQuantization(bound, session, ground)
      case .device: tryDevice(try DeviceDescription(bound, session))
      }
    } catch let error as CompressError {
      add(problem: error)
    }
    // What the engine found wrong with a value has no place of its own: it is the function's.
    problems = problems.map { $0.at(script: path, line: plugin.function.location?.lines.lowerBound) }
    // The plugin's functions belong to the session.
    withExtendedLifetime(session) {}
  }

  /// Whether a file declares a plugin rather than a pipeline, as far as its text tells.
  public static func looksLikePlugin(_ path: String) throws -> Bool {
    try ScriptFile.read(path).split(separator: "\n").contains { line in
      let words = line.drop { $0 == " " || $0 == "\t" }
      guard !words.hasPrefix("--") else { return false }
      return words.hasPrefix("plugin {") || words.hasPrefix("plugin{") || words.contains("return plugin")
        || words.contains("= plugin {")
    }
  }

  // MARK: Options

  private mutating func bind(_ plugin: Plugin, _ session: ScriptSession, _ ground: TestGround) throws -> BoundPlugin {
    let table = try session.state.makeTable()
    for option in plugin.schema.options where option.isRequired {
      guard let value = try Self.sample(option, session, ground) else { continue }
      try table.set(option.name, value.lua(session.state))
      let text: String =
        switch value {
        case .data: "\(ground.training.count) generated digits"
        case .model: "a small CNN"
        case .function: "a straight line"
        default: try value.recipe().description
        }
      assumed.append("\(option.name) = \(text)")
    }
    return try BoundPlugin(plugin, plugin.schema.read(table))
  }

  private static func sample(_ option: OptionSchema.Option, _ session: ScriptSession, _ ground: TestGround) throws
    -> OptionValue?
  {
    func inRange(_ value: Double) -> Double { max(option.minimum, min(option.maximum, value)) }
    switch option.type {
    case .boolean: return .bool(true)
    case .integer: return .integer(Int(exactly: inRange(1).rounded(.up)) ?? 1)
    case .number, .ratio: return .number(inRange(0.5))
    case .string: return .string("text")
    case .choice(let names): return .string(names[0])
    case .patterns, .strings: return .strings([])
    case .numbers: return .numbers([inRange(0.5)])
    case .data: return .data(DataObject(ground.training))
    case .model: return .model(ModelObject(ground.network, name: "check"))
    case .schedule:
      return try session.state.load("return function(t) return t end", name: "check").call().first?.function.map {
        .function($0)
      }
    case .plugin, .function, .table, .either, .block, .values, .numberLists, .renames, .shapes: return nil
    }
  }

  // MARK: Kinds

  private mutating func tryPruning(_ policy: LuaPruningPolicy, _ ground: TestGround) throws {
    let model = try ground.model(ground.network)
    guard !policy.gathers else {
      add("before", try ground.accuracy(model))
      return attempt("little by little, from 20 % to 80 %") {
        try PruneStage(
          policy, target: .schedule(Line(from: 0.2, to: 0.8)), training: ground.recipe, interval: 4,
          samples: ground.training)
      }
    }
    let first = try LayerEvidence(
      model, needs: policy.needs, samples: ground.training, pool: ground.executor.context.pool
    ).view(model.weightLayers[0])
    if let once = try policy.score(first), let again = try policy.score(first), !once.hasBytes(of: again) {
      warnings.append("score gives other values when it is asked again: no two runs will prune the same weights")
    }
    guard policy.unit != .filter else { return try tryPruningFilters(policy, ground.executor) }
    guard policy.unit != .residualBlock else { return try tryPruningBlocks(policy, ground.executor) }
    add("before", try ground.accuracy(model))
    if case .pattern(let keep, let of) = policy.unit {
      let share = PruneStage.Target.sparsity(1 - Double(keep) / Double(of))
      attempt("at once") { try PruneStage(policy, target: share, samples: ground.training) }
      attempt("while training") {
        try PruneStage(policy, target: share, training: ground.recipe, interval: 4, samples: ground.training)
      }
      return
    }
    attempt("at once, to 50 %") {
      try PruneStage(policy, target: .sparsity(0.5), samples: ground.training)
    }
    attempt("little by little, from 20 % to 80 %") {
      try PruneStage(
        policy, target: .schedule(Line(from: 0.2, to: 0.8)), training: ground.recipe, interval: 4,
        samples: ground.training)
    }

    func attempt(_ what: String, _ work: () throws -> PruneStage) {
      do {
        let work = try work(), aim = try work.target.share(at: 1) ?? 0
        let result = try ground.executor.result(of: Stage(work, inputs: [ground.network]))
        let sparsity = result.record.facts["sparsity"] ?? 0
        let layers = result.model.weightLayers.map { layer -> String in
          let weight = result.model[layer, .weight]!
          return "\(layer) \(percent(1 - Double(weight.nonzeroCount) / Double(weight.count)))"
        }
        add(
          what, "\(percent(sparsity)) zeros (\(layers.joined(separator: ", "))), \(try ground.accuracy(result.model))")
        if abs(sparsity - aim) > 0.01 {
          warnings.append("\(what): \(percent(aim)) zeros were asked for, \(percent(sparsity)) came out")
        }
      } catch let error as CompressError {
        add(problem: error)
        add(what, "failed")
      } catch {
        add(problem: CompressError("\(error)"))
        add(what, "failed")
      }
    }
  }

  /// Filters go from a small residual network: its channels are coupled, and batch norms follow them.
  private mutating func tryPruningFilters(_ policy: LuaPruningPolicy, _ executor: Executor) throws {
    let ground = try TestGround(executor, "resnet20") { $0.width = 0.25 }
    add("before", try ground.accuracy(ground.model(ground.network)))
    let targets: [(String, CostTarget)] = [
      ("half of the filters", .channels(0.5)), ("to half of the MACs", .macs(0.5)),
    ]
    for (what, target) in targets {
      let work = try PruneChannelsStage(policy, target: .cost(target), samples: ground.training)
      let result = try ground.executor.result(of: Stage(work, inputs: [ground.network]))
      let widths = result.model.weightLayers.map { "\($0) \(result.model[$0, .weight]!.shape[0])" }
      add(
        what,
        "\(percent(result.record.facts["macs"] ?? 1)) of the MACs stay (filters left: \(widths.joined(separator: ", "))), "
          + (try ground.accuracy(result.model)))
    }
  }

  /// Blocks go from the same network.
  private mutating func tryPruningBlocks(_ policy: LuaPruningPolicy, _ executor: Executor) throws {
    let ground = try TestGround(executor, "resnet20") { $0.width = 0.25 }
    add("before", try ground.accuracy(ground.model(ground.network)))
    let targets: [(String, CostTarget)] = [("half of the blocks", .channels(0.5)), ("to 70 % of the MACs", .macs(0.7))]
    for (what, target) in targets {
      let work = try PruneBlocksStage(policy, target: target, samples: ground.training)
      let result = try ground.executor.result(of: Stage(work, inputs: [ground.network]))
      add(
        what,
        "\(percent(result.record.facts["blocks"] ?? 0)) of the blocks gone, "
          + "\(percent(result.record.facts["macs"] ?? 1)) of the MACs stay, \(try ground.accuracy(result.model))")
    }
  }

  private mutating func trySchedule(_ schedule: LuaSchedule) throws {
    let curve = try (0...40).map { try schedule.value(at: Double($0) / 40) }
    if let index = curve.firstIndex(where: { !$0.isFinite }) {
      throw CompressError("at(\(Self.t(index))) is \(curve[index].isNaN ? "nan" : "\(curve[index])")")
    }
    self.curve = curve
    add(
      "t = 0, 0.25, 0.5, 0.75, 1",
      [0, 10, 20, 30, 40].map { String(format: "%.4g", curve[$0]) }.joined(separator: ", "))
    if let index = curve.firstIndex(where: { !(-1e-9...1 + 1e-9).contains($0) }) {
      warnings.append(
        "at(\(Self.t(index))) is \(String(format: "%.4g", curve[index])): as a sparsity it is refused outside 0 to 1")
    } else if let index = curve.indices.dropFirst().first(where: { curve[$0] < curve[$0 - 1] - 1e-9 }) {
      warnings.append(
        "it falls at t = \(Self.t(index)): weights that a sparsity gives back start from zero (for a learning rate, all is well)"
      )
    }
  }

  private static func t(_ index: Int) -> String { (Double(index) / 40).short }

  private mutating func tryQuantization(_ bound: BoundPlugin, _ session: ScriptSession, _ ground: TestGround) throws {
    let model = try ground.model(ground.network)
    add("before", "\(try NativeFormat.data(model).count) bytes, \(try ground.accuracy(model))")
    let work = QuantizeStage(
      LuaQuantizationPolicy(bound, session), calibration: bound.calibration)
    let result = try ground.executor.result(of: Stage(work, inputs: [ground.network]))
    add("after", "\(try NativeFormat.data(result.model).count) bytes, \(try ground.accuracy(result.model))")
    for layer in result.model.weightLayers {
      guard let weight = result.model[layer, .weight] else { continue }
      add(layer, weight.encoding.name)
    }
    if !result.model.activations.isEmpty { add("activations", "\(result.model.activations.count) of them quantized") }
    if result.model.weightLayers.allSatisfy({
      if case .float(let values)? = result.model[$0, .weight]?.encoding { values.dtype == .float32 } else { false }
    }) {
      warnings.append("every layer stays float32")
    }
    let stays = result.record.notes.filter { !$0.hasPrefix("left float32") }
    for note in stays { add("note", note) }
  }

  private mutating func tryDevice(_ device: DeviceDescription) {
    add("weights", "of " + device.bits.map(String.init).joined(separator: ", ") + " bits")
    if let operators = device.operators { add("operators", operators.sorted().joined(separator: ", ")) }
    for (what, bytes) in [("ram", device.ram), ("flash", device.flash)] {
      if let bytes { add(what, "\(bytes) bytes") }
    }
    if let clock = device.clock { add("clock", "\((clock / 1e6).short) MHz") }
    for source in device.sources { add("source", source) }
    guard let table = device.table else { return add("latencies", "none: nobody has measured") }
    let machine = table.machine
    add("latencies", "of \(table.count) layers on \(machine.name), \(machine.isa), threads: \(machine.threads)")
  }

  private mutating func add(_ what: String, _ outcome: String) { results.append((what, outcome)) }

  /// The same mistake on another way is one mistake.
  private mutating func add(problem: CompressError) {
    if !problems.contains(where: { $0.message == problem.message && $0.line == problem.line }) {
      problems.append(problem)
    }
  }

  private func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }
}

/// A sparsity that rises in a straight line.
private struct Line: Schedule {
  let from: Double
  let to: Double
  var name: String { "line" }
  var recipe: Recipe { [.number(from), .number(to)] }
  func value(at t: Double) throws -> Double { from + (to - from) * t }
}

/// The tiny network, trained for a moment, and its digits.
private struct TestGround {
  let executor: Executor
  let training = SyntheticDigits(count: 640, part: "train")
  let test = SyntheticDigits(count: 500, part: "test")
  let network: Stage

  var recipe: TrainingRecipe { TrainingRecipe(data: training, learningRate: .constant(3e-3)) }

  init(_ executor: Executor, _ name: String = "lab_cnn", change: (inout ZooOptions) -> Void = { _ in }) throws {
    self.executor = executor
    let entry = try Zoo.entry(name)
    var options = entry.defaults
    options.input = training.sampleShape
    options.classes = training.classCount
    change(&options)
    let start = try Stage(
      InitializeStage(
        name: entry.name, network: try entry.graph(options),
        initialization: entry.initialization, seed: 0))
    let recipe = TrainingRecipe(data: training, epochs: 2, learningRate: .constant(3e-3))
    network = try Stage(TrainStage(recipe, name: entry.name), inputs: [start])
  }

  func model(_ stage: Stage) throws -> Model { try executor.model(of: stage) }

  func accuracy(_ model: Model) throws -> String {
    let result = try Evaluation(model, on: test, context: executor.context.work)
    return String(format: "accuracy %.1f %%", result.accuracy * 100)
  }
}

extension Tensor {
  /// Bit for bit, so that NaN is what it is.
  fileprivate func hasBytes(of other: Tensor) -> Bool {
    withBytes { mine in other.withBytes { mine.elementsEqual($0) } }
  }
}
