import Diagnostics
import Foundation
import Runs
import Testing

@testable import Experiments

@Suite struct SweepSearchTests {
  private func goal(
    _ metric: Metric = .accuracy, limits: [String] = [], drop: Double? = nil, variant: String? = nil,
    budget: String? = nil, factor: Int = 3
  ) throws -> SweepGoal {
    SweepGoal(
      metric: metric, limits: try limits.map(SweepGoal.Limit.init), drop: drop, variant: variant,
      budget: try budget.map(SweepGoal.Budget.init), factor: factor)
  }

  private func run(_ variants: (name: String, accuracy: Double, gzip: Double)...) -> RunRecord {
    var run = sampleRun(1)
    run.variants = variants.map {
      RunRecord.Variant(name: $0.name, metrics: metrics(accuracy: $0.accuracy, gzip: $0.gzip))
    }
    return run
  }

  @Test func theBestIsAmongWhatMeetsTheLimits() throws {
    let run = run(("baseline", 0.98, 76_000), ("int8", 0.975, 20_000), ("pruned", 0.96, 9_000))
    #expect(try goal().best(of: run).variant?.name == "baseline")
    #expect(try goal(limits: ["gzip=30000"]).best(of: run).variant?.name == "int8")
    #expect(try goal(.gzipBytes, drop: 0.01).best(of: run).variant?.name == "int8")
    #expect(try goal(.gzipBytes, drop: 0.05).best(of: run).variant?.name == "pruned")
    #expect(try goal(.gzipBytes, limits: ["accuracy=0.97"]).best(of: run).variant?.name == "int8")
    #expect(try goal(variant: "pruned").best(of: run).variant?.name == "pruned")
    // Nothing is small enough: the nearest, and it says so.
    let none = try goal(limits: ["gzip=5000"]).best(of: run)
    #expect(none.variant?.name == "pruned" && none.rank.tier == 1)
    #expect(try goal(variant: "other").best(of: run).rank.tier == 2)
  }

  @Test func whatIsNoGoalIsSaid() {
    for text in ["gzip", "gzip=", "gzip=much", "bytes=3"] {
      #expect(throws: CompressError.self, "\(text)") { try SweepGoal.Limit(text) }
    }
    for text in ["epochs", "epochs=3", "epochs=0:3", "epochs=3:1", "epochs=a:b"] {
      #expect(throws: CompressError.self, "\(text)") { try SweepGoal.Budget(text) }
    }
  }

  @Test func rungsRiseByTheFactorToTheFullBudget() throws {
    #expect(try goal(budget: "epochs=1:9").rungs == [1, 3, 9])
    #expect(try goal(budget: "epochs=2:9").rungs == [3, 9])
    #expect(try goal(budget: "epochs=5:9").rungs == [9])
    #expect(try goal(budget: "epochs=1:8", factor: 2).rungs == [1, 2, 4, 8])
    #expect(try goal().rungs == [])
  }

  /// A point is as good as its number, given any budget.
  @Test func hopelessPointsEndEarly() throws {
    let goal = try goal(budget: "epochs=1:9")
    let plain = (1...9).map { SweepDefinition.Point(number: $0, settings: [.init(name: "a", value: "\($0)")], seed: 0) }
    let points = SweepSearch.first(plain, goal, declared: [])
    var outcomes: [Int: RunRecord] = [:], rungs: [[String]] = []
    let finals = try SweepSearch(goal).run(points, isInteger: true) { rung in
      rungs.append(rung.map(\.text))
      for point in rung {
        let value = Double(point.settings[0].value)!
        var record = run(("pruned", value / 10, 100))
        // The best one fails when it has more to do.
        if value == 9, point.settings[1].value != "1" { record = run() }
        outcomes[point.number] = record
      }
      return outcomes
    }
    #expect(rungs[0] == (1...9).map { "a=\($0) epochs=1" })
    #expect(rungs[1] == ["a=7 epochs=3", "a=8 epochs=3", "a=9 epochs=3"])
    #expect(rungs[2] == ["a=8 epochs=9"])
    #expect(finals.map(\.number) == [13])
    #expect(outcomes.count == 13)
  }
}
