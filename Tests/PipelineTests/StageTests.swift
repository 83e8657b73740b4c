import Analysis
import Compression
import Datasets
import Diagnostics
import Network
import Pipeline
import Tensors
import Testing
import Training

@Suite struct StageTests {
  let data = Corners()

  func trained(epochs: Int = 4) throws -> Stage {
    try Stage(
      TrainStage(
        TrainingRecipe(data: data, epochs: epochs, batchSize: 16, learningRate: .constant(0.01)), name: "tiny"),
      inputs: [tinyStage()])
  }

  func bytes(_ model: Model) -> [[UInt8]] { model.allParameters.map { $0.parameter.values.withBytes { [UInt8]($0) } } }

  @Test func trainPruneQuantizeKeepTheTaskSolved() throws {
    let executor = Executor(context: try context(), store: nil)
    let base = try trained()
    let tuning = TrainingRecipe(data: data, epochs: 4, batchSize: 16, learningRate: .constant(0.01))
    let pruned = try Stage(
      PruneStage(Magnitude(), target: .schedule(Line(from: 0.3, to: 0.7)), training: tuning, interval: 3),
      inputs: [base])
    let quantized = try Stage(QuantizeStage(Uniform(choice: .int8), calibration: data.taking(64)), inputs: [pruned])
    let test = Corners(count: 200, salt: 9)
    for stage in [base, pruned, quantized] {
      let evaluation = try Evaluation(executor.model(of: stage), on: test, context: executor.context.work)
      #expect(evaluation.accuracy > 0.95, "\(stage.work.label)")
    }
    let model = try executor.model(of: pruned)
    let weights = model.weightLayers.map { model[$0, .weight]! }
    let total = weights.reduce(0) { $0 + $1.count }
    #expect(weights.reduce(0) { $0 + $1.nonzeroCount } == total - Int((0.7 * Double(total)).rounded()))
    #expect(abs(try executor.result(of: pruned).record.facts["sparsity"]! - 0.7) < 0.005)
    let kept = try executor.model(of: quantized)
    #expect(kept.weightLayers.allSatisfy { kept[$0, .weight]!.nonzeroCount <= model[$0, .weight]!.nonzeroCount })
  }

  @Test func oneShotPruningReachesTheTargetExactly() throws {
    let executor = Executor(context: try context(), store: nil)
    let stage = try Stage(
      PruneStage(Magnitude(scope: .layer, skipped: ["conv"]), target: .sparsity(0.5)), inputs: [tinyStage()])
    let model = try executor.model(of: stage)
    #expect(model["conv", .weight]!.nonzeroCount == 36)
    #expect(model["conv", .weight]!.mask == nil)
    #expect(model["head", .weight]!.nonzeroCount == 128)
  }

  @Test func threadsDoNotChangeTheBytes() throws {
    let models = try [1, 2, 3].map {
      try Executor(context: context(threads: $0), store: nil).model(of: trained(epochs: 2))
    }
    #expect(bytes(models[0]) == bytes(models[1]))
    #expect(bytes(models[0]) == bytes(models[2]))
  }

  @Test func optionsAreCheckedWhenAStageIsRecorded() throws {
    let origin = Stage.Origin(script: "x.lua", line: 7)
    let wrongData = #expect(throws: CompressError.self) {
      var net = GraphBuilder(input: [9, 9, 1])
      net.flatten()
      net.dense(4)
      let other = try Stage(
        InitializeStage(name: "other", network: net.graph(), initialization: Initialization(.heNormal), seed: 0))
      _ = try Stage(TrainStage(TrainingRecipe(data: data), name: "other"), inputs: [other], origin: origin)
    }
    #expect(wrongData?.script == "x.lua" && wrongData?.line == 7)
    #expect(wrongData?.message.contains("[8, 8, 1]") == true && wrongData?.message.contains("[9, 9, 1]") == true)
    #expect(throws: CompressError.self) { try PruneStage(Magnitude(), target: .sparsity(1.2)) }
    #expect(throws: CompressError.self) { try PruneStage(Magnitude(), target: .schedule(Line(from: 0, to: 2))) }
    #expect(throws: CompressError.self) {
      try Stage(TrainStage(TrainingRecipe(data: data, epochs: 0), name: "tiny"), inputs: [tinyStage()])
    }
  }

  @Test func quantizedModelsAreNotPruned() throws {
    let quantized = try Stage(QuantizeStage(Uniform(choice: .int8), calibration: data.taking(8)), inputs: [tinyStage()])
    let pruned = try Stage(
      PruneStage(Magnitude(), target: .sparsity(0.5)), inputs: [quantized], origin: .init(script: "x.lua", line: 3))
    let error = #expect(throws: CompressError.self) { try Executor(context: context(), store: nil).model(of: pruned) }
    #expect(error?.layer == "conv" && error?.line == 3)
  }

  @Test func staticRecipesNeedData() throws {
    let stage = try Stage(QuantizeStage(Uniform(choice: .int8)), inputs: [tinyStage()])
    let error = #expect(throws: CompressError.self) { try Executor(context: context(), store: nil).model(of: stage) }
    #expect(error?.hint?.contains("calibration") == true)
  }

  @Test func stoppingIsHeardBetweenSteps() throws {
    let context = try context()
    context.cancellation.request()
    let error = #expect(throws: CompressError.self) { try Executor(context: context, store: nil).model(of: trained()) }
    #expect(error?.kind == .cancelled)
  }
}
