import Compression
import Diagnostics
import Network
import Tensors
import Testing

@testable import Pipeline

/// A stage that does to a model whatever a test wants.
private struct Edit: StageWork {
  var promises: [Contract] = []
  var body: (Model) throws -> Model

  var kind: String { "edit" }
  var label: String { "edit by hand" }
  func recipe() throws -> Recipe { .uncacheable(reason: "edited by hand") }
  func graph(inputs: [Graph]) throws -> Graph { inputs[0] }
  func run(inputs: [Model], context: StageContext) throws -> StageResult { StageResult(try body(inputs[0])) }
  func contracts(for model: Model, inputs: [Model]) -> [Contract] { promises }
}

/// What is greatest goes first.
private struct Backwards: PruningPolicy {
  var unit = PruningUnit.weight
  var name: String { "backwards" }
  var scope: PruningScope { .global }
  var recipe: Recipe { .string("backwards \(unit)") }
  func skips(_ layer: LayerView) -> Bool { false }
  func score(_ layer: LayerView) throws -> Tensor? {
    let scores = layer.weight.applying(.abs).applying(.neg)
    return unit == .filter ? try scores.reshaped([layer.weight.shape[0], -1]).reduced(.sum, axes: [1]) : scores
  }
}

@Suite struct ContractTests {
  private func record(_ stages: [Stage]) throws -> StageRecord {
    try Executor(context: context(), store: nil).result(of: stages.last!).record
  }

  private func failure(_ stage: Stage) -> CompressError? {
    do {
      _ = try Executor(context: context(), store: nil).result(of: stage)
      Issue.record("must fail")
      return nil
    } catch { return error as? CompressError }
  }

  private func pruned(_ unit: PruningUnit = .weight, sparsity: Double = 0.5) throws -> Stage {
    try Stage(PruneStage(Backwards(unit: unit), target: .sparsity(sparsity)), inputs: [tinyStage()])
  }

  @Test func whatIsKeptIsCarriedAlong() throws {
    let tuning = TrainingRecipe(data: Corners(), epochs: 2, batchSize: 16, learningRate: .constant(0.01))
    let trained = try Stage(TrainStage(tuning, name: "tiny"), inputs: [pruned(.pattern(keep: 2, of: 4))])
    let int8 = try Stage(QuantizeStage(Uniform(choice: .int8), calibration: Corners().taking(64)), inputs: [trained])
    let contracts = try #require(try record([int8]).contracts)
    #expect(Set(contracts.map(\.layer)) == ["conv", "head"])
    #expect(contracts.count { $0.promise == .pattern(keep: 2, of: 4) } == 2)
    #expect(contracts.allSatisfy { $0.stage.hasSuffix("by backwards") })
    // Rounding to int8 adds zeros to those that were promised.
    let zeros = contracts.compactMap { if case .zeros(let count) = $0.promise { count } else { nil } }
    #expect(zeros.count == 2 && zeros.reduce(0, +) >= 144)
  }

  @Test func aStageThatFillsZerosIsStopped() throws {
    let edit = Edit { model in
      var model = model
      let weight = model["conv", .weight]!
      try model.set(Parameter(.float(Tensor(repeating: 1, weight.shape)), mask: weight.mask), "conv", .weight)
      return model
    }
    let error = try #require(failure(Stage(edit, inputs: [pruned(.pattern(keep: 2, of: 4))])))
    #expect(error.layer == "conv")
    // 4 filters of 9 inputs: two runs of 4 lose two weights each, the last one, of 1, keeps its half, rounded up.
    #expect(
      error.message
        == "\"edit by hand\" made 16 of 16 weights nonzero that \"prune to 50.0 % by backwards\" removed", "\(error)")
  }

  @Test func maskAndLayerMustStay() throws {
    let unmasked = Edit { model in
      var model = model
      try model.set(Parameter(model["head", .weight]!.values), "head", .weight)
      return model
    }
    #expect(try #require(failure(Stage(unmasked, inputs: [pruned()]))).message.contains("dropped the mask of"))
    let freed = Edit { model in
      var model = model
      let weight = model["head", .weight]!
      try model.set(
        Parameter(weight.encoding, mask: Tensor([UInt8](repeating: 1, count: weight.count), weight.shape)), "head",
        .weight)
      return model
    }
    #expect(try #require(failure(Stage(freed, inputs: [pruned()]))).message.contains("weights grow again"))
    let replaced = Edit { _ in try Model(initializing: widerGraph(conv: "other"), Initialization(.heNormal), seed: 1) }
    let error = try #require(failure(Stage(replaced, inputs: [pruned()])))
    #expect(error.layer == "conv" && error.message.contains("removed the layer"))
  }

  /// The tiny network under other names or with more filters.
  private func widerGraph(conv: String = "conv", filters: Int = 4) throws -> Graph {
    var net = GraphBuilder(input: [8, 8, 1])
    net.conv2d(filters: filters, kernel: 3, padding: .same, bias: false, name: conv)
    net.maxPool(2, name: "pool")
    net.flatten(name: "flat")
    net.dense(4, name: "head")
    return try net.graph()
  }

  @Test func removingFiltersBreaksPatternsAndBlocks() throws {
    func narrowed(_ unit: PruningUnit) throws -> Stage {
      try Stage(PruneChannelsStage(Backwards(unit: .filter), target: .shares([0.25])), inputs: [pruned(unit)])
    }
    let pattern = try #require(failure(narrowed(.pattern(keep: 1, of: 4))))
    #expect(pattern.layer == "head" && pattern.message.contains("nonzero (filter "), "\(pattern)")
    #expect(pattern.message.contains("promised 1") && pattern.hint?.contains("filters first") == true, "\(pattern)")
    let blocks = try #require(failure(narrowed(.block(rows: 2, columns: 2))))
    #expect(blocks.message.contains("whole blocks of 2 by 2"), "\(blocks)")
    // Single zeros go along with their channels.
    #expect(try record([narrowed(.weight)]).contracts?.isEmpty == false)
  }

  /// Of both layers with weights, after each of these stages in turn.
  private func structures(_ stage: Stage, _ executor: Executor) throws -> [SparsityStructure?] {
    let model = try executor.model(of: stage)
    return ["conv", "head"].map { model[$0, .weight]?.structure }
  }

  @Test func theModelKnowsInWhatFormItsZerosCome() throws {
    let executor = Executor(context: try context(), store: nil)
    let tuning = TrainingRecipe(data: Corners(), epochs: 2, batchSize: 16, learningRate: .constant(0.01))
    for (unit, structure) in [
      (PruningUnit.pattern(keep: 2, of: 4), SparsityStructure.pattern(keep: 2, of: 4)),
      (.block(rows: 1, columns: 4), .blocks(rows: 1, columns: 4)),
    ] {
      let once = try pruned(unit)
      let gradual = try Stage(
        PruneStage(Backwards(unit: unit), target: .sparsity(0.5), training: tuning, interval: 4),
        inputs: [tinyStage()])
      let trained = try Stage(TrainStage(tuning, name: "tiny"), inputs: [once])
      let rewound = try Stage(RewindStage(), inputs: [trained, tinyStage()])
      let drawn = try Stage(ReinitializeStage(Initialization(.heNormal), seed: 2), inputs: [trained])
      let int8 = try Stage(QuantizeStage(Uniform(choice: .int8), calibration: Corners().taking(64)), inputs: [trained])
      let clustered = try Stage(
        QuantizeStage(Uniform(choice: LayerQuantization(weights: .clusters(8)))), inputs: [trained])
      let aware = try Stage(
        QuantizeStage(Uniform(choice: .int8), calibration: Corners().taking(64), training: tuning), inputs: [trained])
      for stage in [once, gradual, trained, rewound, drawn, int8, clustered, aware] {
        #expect(try structures(stage, executor) == [structure, structure], "\(stage.work.label)")
      }
    }
    #expect(try structures(pruned(), executor) == [nil, nil])
  }

  /// Single weights taken out of blocks leave no blocks; out of a pattern they leave the pattern. Blocks taken from
  /// where single weights went before are none, and nobody promises them.
  @Test func whatBreaksTheFormLeavesNone() throws {
    let executor = Executor(context: try context(), store: nil)
    func then(_ stage: Stage, _ unit: PruningUnit, _ sparsity: Double) throws -> Stage {
      try Stage(PruneStage(Backwards(unit: unit), target: .sparsity(sparsity)), inputs: [stage])
    }
    let pattern = PruningUnit.pattern(keep: 2, of: 4), block = PruningUnit.block(rows: 2, columns: 2)
    #expect(try structures(then(pruned(pattern), .weight, 0.8), executor) == [pattern.structure, pattern.structure])
    // The convolution loses all its weights, which are whole blocks.
    #expect(try structures(then(pruned(block, sparsity: 0.3), .weight, 0.8), executor)[1] == nil)
    let mixed = try then(pruned(.weight, sparsity: 0.3), block, 0.7)
    #expect(try structures(mixed, executor)[1] == nil)
    let promises = try #require(try executor.record(of: mixed).contracts).filter { $0.layer == "head" }
    #expect(promises.map(\.stage) == [mixed.work.label])
    #expect(!promises.contains { $0.promise == .blocks(rows: 2, columns: 2) })
  }

  @Test func filtersMayOnlyGetFewer() throws {
    let narrow = try Stage(
      PruneChannelsStage(Backwards(unit: .filter), target: .shares([0.5])), inputs: [tinyStage()])
    #expect(try record([narrow]).contracts?.map(\.promise) == [.filters(most: 2)])
    let wide = try Stage(
      Edit { _ in try Model(initializing: widerGraph(filters: 3), Initialization(.heNormal), seed: 1) },
      inputs: [narrow])
    let error = try #require(failure(wide))
    #expect(error.layer == "conv" && error.message.contains("has 3 filters, where"), "\(error)")
    #expect(error.message.hasSuffix("left 2"))
    // A layer that is no longer there has none.
    let gone = try Stage(
      Edit { _ in try Model(initializing: widerGraph(conv: "x"), Initialization(.heNormal), seed: 1) }, inputs: [narrow]
    )
    #expect(try record([gone]).contracts == nil)
  }

  @Test func clustersAreCounted() throws {
    func clustered(_ count: Int) throws -> Stage {
      let promise = Contract(.clusters(most: count), layer: "head", stage: "cluster")
      let stage = try Stage(Edit(promises: [promise]) { $0 }, inputs: [tinyStage()])
      return try Stage(Edit { $0 }, inputs: [stage])
    }
    #expect(try record([clustered(256)]).contracts?.first?.promise == .clusters(most: 256))
    let error = try #require(failure(clustered(15)))
    #expect(error.layer == "head" && error.message.contains("more than the 15 different values that \"cluster\""))
  }

  @Test func whatIsGoneStaysGone() throws {
    let executor = Executor(context: try context(), store: nil)
    let half = try pruned()
    let before = try executor.model(of: half)
    for sparsity in [0.75, 0.25] {
      // Scores that would have others go first.
      let again = try Stage(PruneStage(Magnitude(), target: .sparsity(sparsity)), inputs: [half])
      let after = try executor.model(of: again)
      var zeros = 0
      for layer in ["conv", "head"] {
        let old = before[layer, .weight]!.mask!.array(UInt8.self), new = after[layer, .weight]!.mask!.array(UInt8.self)
        #expect(zip(old, new).allSatisfy { $0 != 0 || $1 == 0 })
        zeros += new.count { $0 == 0 }
      }
      #expect(zeros == Int((max(sparsity, 0.5) * 292).rounded()), "\(sparsity)")
    }
  }
}
