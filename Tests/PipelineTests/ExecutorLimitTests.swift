import Compression
import Datasets
import Diagnostics
import Network
import Pipeline
import Synchronization
import Tensors
import Testing
import Training

/// Long chains of stages, results that do not all fit, and work that is cut short.
@Suite struct ExecutorLimitTests {
  /// Adds one to the bias; as many tensors of its own as are asked for.
  private struct Step: StageWork {
    var number: Int
    var onRun: @Sendable (StageContext) -> Void = { _ in }
    var kind: String { "step" }
    var label: String { "step \(number)" }
    func recipe() throws -> Recipe { ["number": .int(number)] }
    func graph(inputs: [Graph]) throws -> Graph { inputs[0] }
    func run(inputs: [Model], context: StageContext) throws -> StageResult {
      onRun(context)
      var model = inputs[0]
      for (layer, role, parameter) in model.allParameters {
        try model.set(Parameter(parameter.values.applying(.add, 1)), layer, role)
      }
      return StageResult(model)
    }
  }

  @Test func chainsEndAtALimit() throws {
    var stage = try tinyStage()
    for number in 2...Stage.mostDepth { stage = try Stage(Step(number: number), inputs: [stage]) }
    #expect(stage.depth == Stage.mostDepth && stage.lineage.count == Stage.mostDepth)
    #expect(stage.lineage.map(\.depth) == Array(1...Stage.mostDepth))
    let error = #expect(throws: CompressError.self) {
      try Stage(Step(number: 0), inputs: [stage], origin: .init(script: "x.lua", line: 9))
    }
    #expect(error?.kind == .limit && error?.line == 9 && error?.message.contains("\(Stage.mostDepth)") == true)
    let executor = Executor(context: try context(), store: nil)
    let bias = try executor.model(of: stage)["head", .bias]!.values.array(Float.self)
    #expect(bias[0] == Float(Stage.mostDepth - 1))
  }

  @Test func aLineageNamesEachStageOnceInputsFirst() throws {
    let base = try tinyStage()
    let a = try Stage(Step(number: 1), inputs: [base]), b = try Stage(Step(number: 2), inputs: [base])
    let c = try Stage(RewindStage(), inputs: [a, b]), d = try Stage(RewindStage(), inputs: [c, a])
    #expect(d.lineage.map { ObjectIdentifier($0) } == [base, a, b, c, d].map { ObjectIdentifier($0) })
  }

  @Test func whatTheStoreHasGoesWhenThereIsNoRoom() throws {
    let folder = try TemporaryFolder()
    let seen = Mutex<[Int]>([])
    let one = try Executor(context: context(), store: nil)
    _ = try one.model(of: tinyStage())
    let bytes = one.modelBytes
    #expect(bytes > 4 * 36)
    let executor = Executor(
      context: try context(), store: StageStore(root: folder.path), modelBytes: 3 * bytes,
      onModelBytes: { bytes in seen.withLock { $0.append(bytes) } })
    var stages = [try tinyStage()]
    for number in 1...10 { stages.append(try Stage(Step(number: number), inputs: [stages.last!])) }
    let last = try executor.model(of: stages[10])
    #expect(executor.modelBytes <= 3 * bytes && seen.withLock { $0.max()! } <= 3 * bytes)
    // An early one comes back from the store, without being computed again.
    #expect(try executor.model(of: stages[2])["head", .bias]!.values.array(Float.self)[0] == 2)
    #expect(last["head", .bias]!.values.array(Float.self)[0] == 10)
    #expect(try executor.record(of: stages[1]).seconds >= 0)
  }

  @Test func withoutAStoreTheLimitIsAnError() throws {
    let one = try Executor(context: context(), store: nil)
    _ = try one.model(of: tinyStage())
    let bytes = one.modelBytes
    let executor = Executor(context: try context(), store: nil, modelBytes: 3 * bytes)
    var stage = try tinyStage()
    for number in 1...10 {
      stage = try Stage(Step(number: number), inputs: [stage], origin: .init(script: "x.lua", line: number))
    }
    let error = #expect(throws: CompressError.self) { try executor.model(of: stage) }
    #expect(error?.kind == .limit && error?.line == 3, "\(error as Any)")
    #expect(error?.message.contains("\(3 * bytes)") == true)
  }

  @Test func sharedTensorsCountOnce() throws {
    let executor = Executor(context: try context(), store: nil)
    let base = try tinyStage()
    _ = try executor.model(of: base)
    let before = executor.modelBytes
    // A copy of all its tensors.
    _ = try executor.model(of: Stage(RewindStage(), inputs: [base, base]))
    #expect(executor.modelBytes <= 2 * before)
    #expect(before >= (36 + 4 * 4 + 64 * 4 + 4) * 4)
  }

  /// What was cut short is neither the result nor in the store.
  @Test func cancelledWorkIsNotKept() throws {
    let folder = try TemporaryFolder(), context = try context()
    let executor = Executor(context: context, store: StageStore(root: folder.path))
    let base = try tinyStage()
    _ = try executor.model(of: base)
    let stage = try Stage(Step(number: 1) { $0.cancellation.request() }, inputs: [base])
    let error = #expect(throws: CompressError.self) { try executor.model(of: stage) }
    #expect(error?.kind == .cancelled)
    #expect(!executor.isAvailable(stage))
    #expect(!StageStore(root: folder.path).contains(stage.key))
  }

  /// The engine's work within a stage hears the run's request.
  @Test func stagesMakeTheRunsRequestCurrent() throws {
    let context = try context()
    let isCurrent = Mutex(false)
    let stage = try Stage(
      Step(number: 1) { context in isCurrent.withLock { $0 = Cancellation.current === context.cancellation } },
      inputs: [tinyStage()])
    _ = try Executor(context: context, store: nil).model(of: stage)
    #expect(isCurrent.withLock { $0 })
  }

  private struct Bad: Dataset {
    var value: Float
    var name: String { "bad" }
    var count: Int { 64 }
    var sampleShape: Shape { [8, 8, 1] }
    var classCount: Int { 4 }
    var identity: DatasetIdentity { DatasetIdentity(.recipe("bad \(value.bitPattern)")) }
    func read(
      _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
    ) throws {
      for (k, index) in indices.enumerated() {
        for i in 0..<64 { images[k * 64 + i] = index == 40 && i == 7 ? value : Float(i % 5) / 5 }
        labels[k] = Int32(index % 4)
      }
    }
  }

  private static var learned: LayerQuantization {
    LayerQuantization(weights: .integer(bits: 4, granularity: .channel, rounding: .learned), activations: nil)
  }

  /// Samples that are no numbers are told by their data set and position, whatever they are used for.
  @Test(arguments: [Float.nan, .infinity, -.infinity, 1e20, 3e38])
  func samplesThatAreNoNumbersAreNamed(value: Float) throws {
    let data = Bad(value: value)
    for work in [
      QuantizeStage(Uniform(choice: .int8), calibration: data) as any StageWork,
      QuantizeStage(Uniform(choice: Self.learned), calibration: data),
      TrainStage(TrainingRecipe(data: data, batchSize: 8), name: "tiny"),
      RecalibrateStage(data: data, batches: 8, batchSize: 8, seed: 1), FitLastLayerStage(data: data),
      try PackStage(.lambda(0.01), data: data),
    ] {
      do {
        _ = try Executor(context: context(), store: nil).model(of: Stage(work, inputs: [tinyStage()]))
        #expect(value.isFinite, "\(work.label)")
      } catch let error as CompressError {
        guard !value.isFinite else { continue }
        #expect(error.message.contains("\"bad\"") && error.message.contains("sample 41"), "\(work.label): \(error)")
      }
    }
  }
}
