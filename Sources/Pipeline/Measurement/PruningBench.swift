import Compression
import Diagnostics
import Files
import Formats
import Foundation
import Kernels
import Network
import Runtime
import Tensors

/// What pruning itself takes, without training: scores, the choice of what goes, and the smaller model. Single weights
/// become zeros where they lie; filters leave a new model beside the old one. The keys are those of
/// `compress bench --pruning --json`.
public struct PruningBench: Sendable, Encodable {
  /// One strategy on the model.
  public struct Row: Sendable, Encodable {
    public let strategy: String
    /// `sparsity` or `macs`.
    public let target: String
    public let wanted: Double
    public let achieved: Double
    /// The fastest run by the clock, and the one that took least of the processor (one thread works).
    public let seconds: Double
    public let processorSeconds: Double
    /// The most memory the process held meanwhile, model, result and all else; the run that held least, since the C
    /// library keeps some of what earlier work has freed.
    public let peakBytes: Int
    /// For writing the result as a file.
    public let storeSeconds: Double
    public let notes: [String]

    private enum CodingKeys: String, CodingKey {
      case strategy, target, wanted, achieved, seconds, processorSeconds = "cpu_seconds"
      case peakBytes = "peak_memory_bytes", storeSeconds = "store_seconds"
      case notes
    }
  }

  public let model: String
  public let parameters: Int
  /// Bytes of all parameters in memory.
  public let modelBytes: Int
  /// For reading, or drawing, the weights; the fastest run.
  public let loadSeconds: Double
  public let runs: Int
  public let rows: [Row]

  private enum CodingKeys: String, CodingKey {
    case model, parameters, modelBytes = "model_bytes", loadSeconds = "load_seconds", runs, rows
  }

  /// Measures.
  ///
  /// - Parameters:
  ///   - path: a model file, or `zoo:NAME` with random weights.
  ///   - policies: without needs.
  ///   - sparsity: share of the weights that policies of weights and blocks zero.
  ///   - macs: share of the multiply-accumulates that policies of filters leave.
  ///   - runs: each on the model loaded anew; the fastest counts.
  /// - Throws: `CompressError` when the file is broken, a number is out of range, or a policy needs samples.
  public init(
    model path: String, reading: ModelFile.ReadOptions = ModelFile.ReadOptions(), policies: [any PruningPolicy],
    sparsity: Double, macs: Double, runs: Int
  ) throws {
    guard (1...1000).contains(runs) else { throw CompressError("\(runs) runs") }
    let context = StageContext(pool: .serial)
    let scratch = try ScratchFolder()
    var load = Double.infinity, parameters = 0
    var rows: [Row] = []
    for policy in policies {
      guard policy.needs.isEmpty else {
        throw CompressError("\"\(policy.name)\" needs samples; what is measured here is without")
      }
      try policy.checkScoresAtOnce()
      var best: Row?
      for _ in 0..<runs {
        var model: Model?
        load = try min(load, Self.seconds { model = try Self.load(path, reading) }.clock)
        parameters = model!.allParameters.reduce(0) { $0 + $1.parameter.count }
        let row = try Self.row(
          &model, policy, sparsity: sparsity, macs: macs, storesIn: best == nil ? scratch : nil, context)
        if let known = best {
          best = Row(
            strategy: row.strategy, target: row.target, wanted: row.wanted, achieved: row.achieved,
            seconds: min(row.seconds, known.seconds),
            processorSeconds: min(row.processorSeconds, known.processorSeconds),
            peakBytes: min(row.peakBytes, known.peakBytes),
            storeSeconds: known.storeSeconds, notes: row.notes)
        } else {
          best = row
        }
      }
      rows.append(best!)
    }
    model = path
    self.parameters = parameters
    modelBytes = parameters * MemoryLayout<Float>.stride
    loadSeconds = load
    self.runs = runs
    self.rows = rows
  }

  private static func seconds(_ body: () throws -> Void) rethrows -> (clock: Double, processor: Double) {
    let start = ContinuousClock.now, begin = processorNanoseconds()
    try body()
    let processor = Double(processorNanoseconds() - begin) / 1e9
    return ((ContinuousClock.now - start) / .seconds(1), processor)
  }

  /// In memory of its own: of a mapped file nothing would be read before it is pruned.
  private static func load(_ path: String, _ reading: ModelFile.ReadOptions) throws -> Model {
    guard !path.hasPrefix("zoo:") else { return try BenchReport.network(String(path.dropFirst(4))) }
    var model = try ModelFile.read(path, reading)
    for (layer, role, parameter) in model.allParameters {
      guard case .float = parameter.encoding else { continue }
      var values = parameter.values
      values.withMutable(Float.self) { _ in }
      try model.set(Parameter(values), layer, role)
    }
    return model
  }

  /// - Parameter model: taken out, so that nobody else holds its weights.
  private static func row(
    _ model: inout Model?, _ policy: any PruningPolicy, sparsity: Double, macs: Double,
    storesIn scratch: ScratchFolder?,
    _ context: StageContext
  ) throws -> Row {
    var pruned = model.take()!
    var wanted = sparsity, achieved = 0.0, notes: [String] = []
    if case .pattern(let keep, let of) = policy.unit { wanted = 1 - Double(keep) / Double(of) }
    let seconds: (clock: Double, processor: Double)
    PeakMemory.reset()
    if policy.unit.isRemoved {
      let stage: any StageWork =
        policy.unit == .filter
        ? try PruneChannelsStage(policy, target: .cost(.macs(macs))) : try PruneBlocksStage(policy, target: .macs(macs))
      var result: StageResult?
      seconds = try Self.seconds { result = try stage.run(inputs: [pruned], context: context) }
      pruned = result!.model
      achieved = result!.record.facts["macs"]!
      notes = result!.record.notes + (result!.record.warnings ?? [])
    } else {
      seconds = try Self.seconds {
        for (layer, mask) in try Self.masks(pruned, policy, sparsity, context) { try pruned.prune(layer, by: mask) }
      }
      let masked = pruned.weightLayers.compactMap { pruned[$0, .weight] }.filter { $0.mask != nil }
      let total = masked.reduce(0) { $0 + $1.count }
      achieved = 1 - Double(masked.reduce(0) { $0 + $1.nonzeroCount }) / Double(max(total, 1))
    }
    let peak = PeakMemory.bytes()
    var store = 0.0
    if let scratch {
      store = try Self.seconds { try NativeFormat.write(pruned, to: scratch.path + "/pruned.cmpr") }.clock
    }
    return Row(
      strategy: policy.name, target: policy.unit.isRemoved ? "macs" : "sparsity",
      wanted: policy.unit.isRemoved ? macs : wanted, achieved: achieved, seconds: seconds.clock,
      processorSeconds: seconds.processor,
      peakBytes: peak, storeSeconds: store, notes: notes)
  }

  private static func masks(
    _ model: Model, _ policy: any PruningPolicy, _ sparsity: Double, _ context: StageContext
  ) throws -> [(key: String, value: Tensor)] {
    let pruner = try Pruner(policy: policy, model: model, samples: nil, context: context)
    let evidence = pruner.evidence(of: model)
    return try pruner.masks(.share(sparsity)) { try evidence.view($0) }
  }
}
