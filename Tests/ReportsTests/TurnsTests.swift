import Foundation
import Pipeline
import Runtime
import Tensors
import Testing

@testable import Reports

/// Machines that differ from turn to turn, drawn with a fixed seed.
@Suite struct TurnsTests {
  /// Turns of 40 runs each around a median of `base`, that of each turn moved by its own factor.
  private func timing(_ factors: [Double], base: Double = 10, _ random: inout SeededRandom) -> Timing {
    Timing(
      turns: factors.map { factor in
        Timing.Turn(
          samples: (0..<40).map { _ in base * factor * exp(0.02 * Double(random.normal())) }, peakMemoryBytes: 1,
          load: nil)
      })
  }

  private func factors(_ count: Int, deviation: Double, _ random: inout SeededRandom) -> [Double] {
    (0..<count).map { _ in exp(deviation * Double(random.normal())) }
  }

  /// An interval by the runs alone holds the truth hardly ever when turns differ; the turns' own holds it as promised.
  @Test(arguments: [2, 3, 5, 8]) func mediansAreHeldAsOftenAsPromised(turns: Int) throws {
    var random = SeededRandom(seed: 11), held = 0, heldByRuns = 0
    for _ in 0..<1000 {
      let timing = timing(factors(turns, deviation: 0.1, &random), &random)
      if try #require(Interval.median(timing)).contains(10) { held += 1 }
      if Interval.median(ofSorted: timing.samples.sorted())?.contains(10) == true { heldByRuns += 1 }
    }
    #expect((925...985).contains(held), "\(held)")
    #expect(turns > 3 || heldByRuns < 850, "\(heldByRuns)")
  }

  /// Two variants share what the machine does in a turn, and differ by what each process meets.
  @Test(arguments: [2, 3, 5]) func ratiosAreHeldAsOftenAsPromised(turns: Int) throws {
    var random = SeededRandom(seed: 12), held = 0
    for _ in 0..<1000 {
      let shared = factors(turns, deviation: 0.3, &random)
      let own = [factors(turns, deviation: 0.05, &random), factors(turns, deviation: 0.05, &random)]
      let first = timing(zip(shared, own[0]).map(*), base: 15, &random)
      let second = timing(zip(shared, own[1]).map(*), base: 10, &random)
      let pair = PairedTurns(first, second), interval = try #require(pair.interval)
      #expect(interval.contains(pair.ratio))
      if interval.contains(1.5) { held += 1 }
    }
    #expect((925...985).contains(held), "\(held)")
  }

  /// Pairing by turns takes out what hits both: the machine at half its pace in one turn says nothing of the ratio.
  @Test func aSlowTurnOfBothIsInNoRatio() throws {
    var random = SeededRandom(seed: 13)
    let pair = PairedTurns(timing([1, 2, 1], base: 20, &random), timing([1, 2, 1], base: 10, &random))
    let interval = try #require(pair.interval)
    #expect(interval.contains(2) && interval.low > 1.9 && interval.high < 2.1, "\(interval)")
  }

  /// The same model twice, one process in four a third slower for its whole life: a colour is as rare as promised.
  @Test(arguments: [2, 3, 6]) func equalVariantsAreNotColoured(turns: Int) throws {
    var random = SeededRandom(seed: 14), coloured = 0
    for _ in 0..<1000 {
      func draw() -> Timing {
        timing((0..<turns).map { _ in (random.below(4) == 0 ? 1.33 : 1) * exp(0.01 * Double(random.normal())) }, &random)
      }
      let verdict = try #require(Verdict(timesFaster: PairedTurns(draw(), draw()).interval))
      if verdict != .same { coloured += 1 }
    }
    #expect(coloured < 100, "\(coloured)")
  }

  @Test func whatIsFasterInEveryTurnIsColoured() throws {
    var random = SeededRandom(seed: 15)
    let interval = PairedTurns(timing([1, 1.02, 0.99], base: 14, &random), timing([1, 1.01, 1], &random)).interval
    #expect(Verdict(timesFaster: interval) == .better)
    let results = Synthetic.results(try Synthetic.outcome())
    #expect(Verdict(timesFaster: results.variants[1].versusFirst?.fasterMedianInterval) == .better)
    let table = ComparisonTable(results).rendered(for: colored)
    #expect(table.contains("\u{1B}[32m1.9") || table.contains("\u{1B}[32m 1.9"))
    let page = try HTMLReport(results, charts: nil).rendered()
    #expect(page.contains("data-label=\"Faster, median\"><span class=\"good\">1.9"))
    #expect(page.contains("data-label=\"Faster, median\"><span class=\"same\">1.0"))
  }

  /// One turn, or turns of too few runs: no interval, no colour, and that is said in both places.
  @Test func oneTurnHasNoIntervalAndThatIsSaid() throws {
    var outcome = try Synthetic.outcome()
    for index in outcome.variants.indices { outcome.variants[index].timing = outcome.variants[index].timing.inOneTurn }
    for outcome in [outcome, try Synthetic.outcome(samples: 13)] {
      let results = Synthetic.results(outcome)
      #expect(results.variants.allSatisfy { $0.intervals?.p50 == nil })
      #expect(results.variants[1].versusFirst?.fasterMedianInterval == nil)
      #expect((results.variants[1].versusFirst?.fasterMedian ?? 0) > 1.8)
      let text = ComparisonTable(results).rendered(for: plain), page = try HTMLReport(results, charts: nil).rendered()
      for said in [text, page] { #expect(said.contains("imes have no interval, which takes 2 turns of 7 images")) }
      #expect(page.contains("data-label=\"Faster, median\"><span class=\"\">1.9"))
    }
    let few = Timing(
      turns: (0..<3).map { _ in Timing.Turn(samples: [1, 1, 1, 1, 1, 1], peakMemoryBytes: 1, load: nil) })
    #expect(Interval.median(few) == nil && PairedTurns(few, few).interval == nil && PairedTurns(few, few).ratio == 1)
  }

  @Test func studentsQuantiles() {
    #expect(Interval.student(1) == 12.7062 && Interval.student(2) == 4.3027 && Interval.student(1000) == 2.0423)
    // By hand: logarithms 0, 0.1 and 0.2 have a deviation of 0.1.
    let interval = Interval.geometricMean([1, exp(0.1), exp(0.2)])
    #expect(abs(log(interval.low) - (0.1 - 4.3027 * 0.1 / 3.0.squareRoot())) < 1e-9)
    #expect(abs(log(interval.high) - (0.1 + 4.3027 * 0.1 / 3.0.squareRoot())) < 1e-9)
  }

  private func findings(_ change: (inout ComparisonOutcome) -> Void) throws -> [String] {
    var outcome = try Synthetic.outcome()
    change(&outcome)
    return Finding.all(Synthetic.results(outcome)).map(\.sentence)
  }

  @Test func turnsThatDisagreeAreNamedWithTheirTimes() throws {
    #expect(try !findings { _ in }.contains { $0.contains("differ by") || $0.contains("Other work") })
    let said = try findings { $0.variants[0].timing = $0.variants[0].timing.mapTimes { turn, _, time in
      turn == 2 ? time * 1.31 : time
    } }
    #expect(
      said.contains {
        $0.hasPrefix("Turns of “baseline” differ by 31 % (1.05 ms, 1.05 ms and 1.38 ms). Nothing else was seen")
      }, "\(said)")
  }

  @Test func aBusyMachineIsSaidWithNumbers() throws {
    func load(_ others: Double, waiting: Double?, stolen: Double = 0) -> MachineLoad {
      MachineLoad(
        seconds: 2, own: 2, preemptions: 5, processors: 4, others: others, stolen: stolen, waiting: waiting)
    }
    #expect(OtherWork([load(0.5, waiting: 0.1)], fillsMachine: false).remarks.isEmpty)
    #expect(OtherWork([], fillsMachine: false).remarks.isEmpty)
    #expect(
      OtherWork([load(3, waiting: 0.5), load(1, waiting: 0.5)], fillsMachine: false).remarks == [
        "other processes took 25 % of the processors' time", "threads waited for a processor during 25 % of the time",
      ])
    // More threads than processors wait for each other.
    #expect(OtherWork([load(0, waiting: 2)], fillsMachine: true).remarks.isEmpty)
    #expect(
      OtherWork([load(0, waiting: nil, stolen: 0.4)], fillsMachine: false).remarks == [
        "the host gave 5 % of it to other virtual machines"
      ])
    // A hundredth of a second is the system's tick: what it counts of a twentieth says nothing.
    var short = load(0.1, waiting: 0)
    short.seconds = 0.05
    #expect(OtherWork([short], fillsMachine: false).remarks.isEmpty)

    let said = try findings { outcome in
      for index in outcome.variants.indices {
        let turns = outcome.variants[index].timing.turns.map {
          Timing.Turn(samples: $0.samples, peakMemoryBytes: $0.peakMemoryBytes, load: load(4, waiting: 1))
        }
        outcome.variants[index].timing = Timing(turns: turns).mapTimes { turn, _, time in turn == 0 ? time * 2 : time }
      }
    }
    #expect(
      said.contains {
        $0.contains("other processes took 50 % of the processors' time") && $0.contains("during 50 % of the time")
          && $0.contains("45 times")
      }, "\(said)")
    #expect(said.contains { $0.contains("Turns of “baseline” differ by 100 %") && $0.contains("Other work ran") })
  }
}
