import Analysis
import Compression
import Network
import Testing

@testable import Pipeline

@Suite struct PruningCourseTests {
  private let data = Corners()

  private func result(_ name: String, accuracy: Double) -> VariantResult {
    VariantResult(
      name: name, accuracy: accuracy, flips: 0, gained: 0, lost: 0, parameters: 0, nonzero: 0, macs: 0, nativeBytes: 0,
      gzipBytes: 0, timing: Timing(turns: [Timing.Turn(samples: [1], peakMemoryBytes: 0, load: nil)]), history: [], layers: [])
  }

  @Test func roundsAreCutAtEachPruning() throws {
    let executor = Executor(context: try context(), store: nil)
    let tuning = TrainingRecipe(data: data, epochs: 1, batchSize: 32, learningRate: .constant(0.01))
    let start = try tinyStage()
    var stages = [start]
    for share in [0.3, 0.6] {
      stages.append(try Stage(PruneStage(Magnitude(), target: .sparsity(share)), inputs: [stages.last!]))
      stages.append(try Stage(TrainStage(tuning, name: "tiny"), inputs: [stages.last!]))
    }
    let int8 = try Stage(QuantizeStage(Uniform(choice: .int8), calibration: data.taking(32)), inputs: [stages[4]])
    let comparison = try Comparison(
      variants: [
        .init(name: "whole", stage: start), .init(name: "second", stage: stages[4]), .init(name: "int8", stage: int8),
        .init(name: "the same", stage: int8),
      ], data: data.taking(50))
    let results = zip(["whole", "second", "int8", "the same"], [0.1, 0.2, 0.3, 0.3]).map(result)
    let courses = try PruningCourse.all(in: comparison, results, executor)
    // One of two that are the same, and none that another passes through.
    #expect(courses.map(\.variant) == ["int8"])
    let rounds = courses[0].rounds
    #expect(rounds.map(\.name) == ["whole", "round 1", "second", "int8"])
    #expect(rounds.map(\.key) == [start, stages[2], stages[4], int8].map(\.key.digest))
    let evaluated = try Evaluation(executor.model(of: stages[2]), on: comparison.data, context: executor.context.work)
    #expect(rounds.map(\.accuracy) == [0.1, evaluated.accuracy, 0.2, 0.3])
    #expect(rounds[0].nonzero > rounds[1].nonzero && rounds[1].nonzero > rounds[2].nonzero)
    #expect(rounds[0].layers.map(\.name) == ["conv", "head"] && rounds[0].layers.map(\.filters) == [4, 4])
    #expect(rounds[0].layers[0].macs == 8 * 8 * 36 && rounds[0].filters == 8)
    #expect(rounds[3].bytes < rounds[0].bytes)
  }

  @Test func whatWasNotPrunedHasNone() throws {
    let stage = try tinyStage()
    let comparison = try Comparison(variants: [.init(name: "a", stage: stage)], data: data)
    let executor = Executor(context: try context(), store: nil)
    #expect(try PruningCourse.all(in: comparison, [result("a", accuracy: 1)], executor).isEmpty)
  }
}
