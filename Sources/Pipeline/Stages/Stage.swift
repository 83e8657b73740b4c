import Analysis
import Diagnostics
import Network
import Training

/// A recorded step of a pipeline: models in, a new model out, once somebody needs it.
///
/// Stages form a graph that a script builds in milliseconds; the `Executor` computes what is asked for.
/// A stage is owned by the thread that runs the script: its work may call back into Lua.
public final class Stage {
  /// What it does and with what.
  public let work: any StageWork
  public private(set) var inputs: [Stage]
  public let key: StageKey
  /// Where the script declared it.
  public let origin: Origin?
  /// The network's structure, known before any weight is, so that options are checked while the script
  /// runs. Compression may later fold layers of it away.
  public let graph: Graph
  /// What the model's input and output mean. Not of the key: it decides nothing that is computed.
  public let signature: ModelSignature
  /// An estimate of the memory it takes to have recorded this, without any result.
  public let bytes: Int
  /// How many stages the longest way from one without inputs to this one has, itself included.
  public let depth: Int

  /// The greatest depth there can be: far more than rounds of pruning and training take, few enough that nothing that
  /// walks along a lineage takes long.
  public static let mostDepth = 1000

  public struct Origin: Sendable, Hashable {
    public let script: String
    public let line: Int

    public init(script: String, line: Int) {
      self.script = script
      self.line = line
    }
  }

  /// - Throws: `CompressError`, with the origin, when the work does not fit its inputs; of kind `.limit` when the stage
  ///   would be deeper than `mostDepth`.
  public init(_ work: any StageWork, inputs: [Stage] = [], origin: Origin? = nil) throws {
    self.work = work
    self.inputs = inputs
    self.origin = origin
    depth = (inputs.map(\.depth).max() ?? 0) + 1
    do {
      guard depth <= Self.mostDepth else {
        throw CompressError(
          "\(work.label) is stage \(depth) one after the other; at most \(Self.mostDepth) build on each other",
          kind: .limit)
      }
      graph = try work.graph(inputs: inputs.map(\.graph))
      signature = work.signature(inputs: inputs.map(\.signature)).fitting(graph)
      let recipe = try work.recipe()
      key = StageKey(stage: work.kind, recipe: recipe, inputs: inputs.map(\.key))
      let names = (signature.classes ?? []).reduce(0) { $0 + $1.utf8.count }
      bytes = 4096 + 3 * recipe.byteCount + 512 * graph.nodes.count + names
    } catch let error as CompressError {
      throw origin.map { error.at(script: $0.script, line: $0.line) } ?? error
    }
  }

  /// All stages this one needs and itself, each once, inputs first.
  public var lineage: [Stage] {
    lineage { _ in true }
  }

  /// Those of the lineage that are reached, from this stage on, through stages of which `goesOn` holds.
  func lineage(through goesOn: (Stage) -> Bool) -> [Stage] {
    var seen: Set<ObjectIdentifier> = [ObjectIdentifier(self)], order: [Stage] = []
    // Stages on the way to the one under way, and the next of their inputs to visit. A stack of its own: long chains
    // would overflow that of the calls.
    var way = [(stage: self, next: goesOn(self) ? 0 : inputs.count)]
    while let (stage, next) = way.last {
      guard next < stage.inputs.count else {
        order.append(stage)
        way.removeLast()
        continue
      }
      way[way.count - 1].next += 1
      let input = stage.inputs[next]
      if seen.insert(ObjectIdentifier(input)).inserted {
        way.append((input, goesOn(input) ? 0 : input.inputs.count))
      }
    }
    return order
  }

  /// Stages that nobody else refers to end one after the other, not each within the end of the one before.
  deinit {
    var ending = inputs
    inputs = []
    while var stage = ending.popLast() {
      guard isKnownUniquelyReferenced(&stage) else { continue }
      ending += stage.inputs
      stage.inputs = []
    }
  }
}

/// The work of one kind of stage. Adding a kind of stage is adding a type; executor, keys and store
/// do not change.
public protocol StageWork {
  /// `zoo`, `train`, `prune`, `quantize` …
  var kind: String { get }

  /// A few words for progress and plans: `train lab_cnn, 1 epoch`.
  var label: String { get }

  /// Everything that decides the result, inputs apart.
  func recipe() throws -> Recipe

  /// Checks the inputs and tells the structure of the result, batch norms not yet folded.
  func graph(inputs: [Graph]) throws -> Graph

  /// What the result's input and output mean; those of the first input unless a stage knows better.
  func signature(inputs: [ModelSignature]) -> ModelSignature

  /// Computes the result from those of the inputs.
  ///
  /// - Throws: `CompressError`; `.cancelled` when `context.checkCancelled` does.
  func run(inputs: [Model], context: StageContext) throws -> StageResult

  /// What later stages have to keep of the model it yielded; nothing unless a stage says otherwise.
  func contracts(for model: Model, inputs: [Model]) -> [Contract]

  /// Whether layers go as wholes, and with them what was promised of them.
  var removesLayers: Bool { get }
}

extension StageWork {
  public func signature(inputs: [ModelSignature]) -> ModelSignature { inputs.first ?? .unknown }
  public func contracts(for model: Model, inputs: [Model]) -> [Contract] { [] }
  public var removesLayers: Bool { false }
}

/// What a stage leaves besides its model: numbers for reports, stored along with it.
public struct StageRecord: Sendable, Codable {
  /// One entry per epoch of training, if there was any.
  public var curve: [TrainingCurve.Epoch] = []
  /// Wall-clock seconds of each of them.
  public var epochSeconds: [Double]?
  /// Named numbers: the achieved sparsity …
  public var facts: [String: Double] = [:]
  /// What was measured by pruning each part alone.
  public var sensitivity: Sensitivity?
  /// What holds of the model's layers, promised by this stage or an earlier one and checked after each; nil where it
  /// was stored before there were contracts.
  public var contracts: [Contract]?
  /// Sentences for people: layers left float and why …
  public var notes: [String] = []
  /// Sentences that nobody should miss, on the terminal and among the first things a report says: a target missed, a
  /// layer emptied, a training that came to nothing. Nil where there are none, or nobody looked for them yet.
  public private(set) var warnings: [String]?
  /// How long it took when it was computed.
  public var seconds: Double = 0

  public init() {}

  public mutating func warn(_ sentence: String) { warnings = (warnings ?? []) + [sentence] }
}

public struct StageResult {
  public var model: Model
  public var record: StageRecord

  public init(_ model: Model, _ record: StageRecord = StageRecord()) {
    self.model = model
    self.record = record
  }
}
