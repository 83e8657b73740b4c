import Analysis
import Foundation
import Runtime
import Testing

@testable import Pipeline

@Suite struct TurnPlanTests {
  @Test func everyTurnBeginsWithTheNextVariant() {
    let plan = TurnPlan(variants: 3, images: 100, turns: 3)
    #expect((0..<3).map { plan.order(ofTurn: $0) } == [[0, 1, 2], [1, 2, 0], [2, 0, 1]])
    #expect(plan.processes == 9)
    #expect((0..<3).map { TurnPlan(variants: 2, images: 100, turns: 3).order(ofTurn: $0) } == [[0, 1], [1, 0], [0, 1]])
    #expect((0..<3).map { TurnPlan(variants: 1, images: 100, turns: 3).order(ofTurn: $0) } == [[0], [0], [0]])
  }

  /// There are as many timed images as were asked for, each once, however many turns share them.
  @Test(arguments: [(100, 3, 3), (1000, 3, 3), (22, 3, 3), (20, 3, 2), (14, 30, 2), (13, 3, 1), (1, 3, 1), (100, 1, 1)])
  func imagesAreSharedOut(images: Int, asked: Int, turns: Int) {
    let plan = TurnPlan(variants: 4, images: images, turns: asked)
    #expect(plan.turns.count == turns)
    #expect(plan.turns.flatMap { Array($0) } == Array(0..<images))
    #expect(plan.turns.count == 1 || plan.turns.allSatisfy { $0.count >= TurnPlan.fewestImages })
  }

  @Test func turnsThatTakeLongOnlyToBeginAreFewer() {
    var plan = TurnPlan(variants: 2, images: 90, turns: 3)
    plan.shorten(after: 1, overhead: 19)
    #expect(plan.turns == [0..<30, 30..<60, 60..<90])
    plan.shorten(after: 2, overhead: 1000)
    #expect(plan.turns.count == 3)
    plan.shorten(after: 1, overhead: 21)
    #expect(plan.turns == [0..<30, 30..<90])
    plan.shorten(after: 1, overhead: 21)
    #expect(plan.turns.count == 2)
  }

  /// The one form of a timing: what a measuring process answers is what results.json has.
  @Test func aTimingIsTheSameBehindJSON() throws {
    let load = MachineLoad(seconds: 1.5, own: 1.25, preemptions: 3, processors: 2, others: 0.5, stolen: 0, waiting: 0.1)
    let timing = Timing(turns: [
      Timing.Turn(samples: [0.0079, 0.0081, 0.0078], peakMemoryBytes: 35_000_000, load: load),
      Timing.Turn(
        samples: [0.1, 0.0082], peakMemoryBytes: 36_000_000, load: MachineLoad(seconds: 1, own: 1, preemptions: 0)),
      Timing.Turn(samples: [0.01], peakMemoryBytes: 1, load: nil),
    ])
    let data = try JSONEncoder().encode(timing)
    #expect(try JSONDecoder().decode(Timing.self, from: data) == timing)
    let json = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(Set(json.keys) == ["latency_ms", "peak_memory_bytes", "turns"])
    #expect(json["peak_memory_bytes"] as? Int == 36_000_000)
    let latency = try #require(json["latency_ms"] as? [String: Any])
    #expect(Set(latency.keys) == ["mean", "min", "p50", "p90", "p99", "max", "samples"])
    let turns = try #require(json["turns"] as? [[String: Any]])
    #expect(Set(turns[0].keys) == ["runs", "p50_ms", "peak_memory_bytes", "load"])
    #expect(
      Set(try #require(turns[0]["load"] as? [String: Any]).keys) == [
        "wall_s", "own_cpu_s", "preemptions", "processors", "others_cpu_s", "stolen_cpu_s", "waiting_s",
      ])
    #expect(Set(turns[2].keys) == ["runs", "p50_ms", "peak_memory_bytes"])

    let report = MeasurementReport(
      timing: timing, answers: Classifier.Answers(predictions: [1, 2], confidences: [0.5, 1]))
    #expect(
      try JSONDecoder().decode(MeasurementReport.self, from: JSONEncoder().encode(report)).timing == timing)
  }
}
