import Foundation
import Pipeline
import Tensors
import Testing

@testable import Reports

@Suite struct IntervalTests {
  /// Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I.
  @Test(arguments: [
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718),
  ])
  func wilsonAsPublished(successes: Int, count: Int, low: Double, high: Double) {
    let interval = Interval.wilson(successes, of: count)
    #expect(abs(interval.low - low) < 5e-5 && abs(interval.high - high) < 5e-5)
    let mirror = Interval.wilson(count - successes, of: count)
    #expect(abs(mirror.low - (1 - interval.high)) < 1e-12 && abs(mirror.high - (1 - interval.low)) < 1e-12)
  }

  @Test func wilsonAtTheEnds() {
    #expect(Interval.wilson(0, of: 0) == Interval(0, 1))
    #expect(Interval.wilson(5, of: 5).high == 1)
    #expect(Interval.wilson(0, of: 5).low == 0)
  }

  @Test func pairedDifferences() {
    let none = Interval.pairedDifference(gained: 0, lost: 0, of: 1000)
    #expect(none.contains(0) && none.high < 0.003 && abs(none.low + none.high) < 1e-15)
    #expect(Interval.pairedDifference(gained: 2, lost: 40, of: 1000).high < 0)
    #expect(Interval.pairedDifference(gained: 40, lost: 2, of: 1000).low > 0)
    // By hand: n = 102, b = 10.5, c = 5.5, (5 ± 1.96·√(16 − 25/102)) / 102.
    let hand = Interval.pairedDifference(gained: 10, lost: 5, of: 100)
    #expect(abs(hand.low - (-0.02725)) < 1e-4 && abs(hand.high - 0.12529) < 1e-4)
  }

  @Test func mediansLieBetweenOrderStatistics() {
    let hundred = (1...100).map(Double.init)
    #expect(Interval.median(ofSorted: hundred) == Interval(40, 61))
    let ratio = Interval.medianRatio(ofSorted: hundred.map { $0 * 3 }, over: hundred)
    #expect(ratio.map { $0.low < 3 && 3 < $0.high } == true)
  }

  /// Fewer than seven samples enclose their median too rarely: there is no interval, of it or of a ratio.
  @Test func fewSamplesHaveNoIntervalOfTheirMedian() {
    let seven = (1...7).map(Double.init)
    for count in 0...6 {
      #expect(Interval.median(ofSorted: Array(seven.prefix(count))) == nil, "\(count)")
      #expect(Interval.medianRatio(ofSorted: Array(seven.prefix(count)), over: seven) == nil)
      #expect(Interval.medianRatio(ofSorted: seven, over: Array(seven.prefix(count))) == nil)
    }
    #expect(Interval.median(ofSorted: seven) == Interval(1, 7))
    #expect(Interval.medianRatio(ofSorted: seven, over: seven) == Interval(1.0 / 7, 7))
  }

  /// The exact confidence of the ranks, by the binomial distribution: never less than what is promised.
  @Test(arguments: [(Interval.deviations, 0.95), (Interval.deviationsOfTwo, 0.975)])
  func ranksHoldTheirPromise(deviations: Double, confidence: Double) throws {
    for count in 7...400 {
      let ranks = try #require(Interval.median(ofSorted: (0..<count).map(Double.init), deviations: deviations))
      // The median lies between them if more samples than the lower rank, and no more than the upper, are below it.
      var logarithm = -Double(count) * log(2.0), covered = 0.0
      for below in 0...count {
        if below > Int(ranks.low), below <= Int(ranks.high) { covered += exp(logarithm) }
        logarithm += log(Double(count - below)) - log(Double(below + 1))
      }
      #expect(covered >= confidence, "\(count): \(covered)")
    }
  }

  /// Over many series of independent draws, the intervals hold the truth about as often as they promise.
  @Test func coverage() {
    var random = SeededRandom(seed: 3)
    var medians = 0
    for _ in 0..<200 {
      let samples = (0..<400).map { _ in 10 + random.normal() }
      if Interval.median(ofSorted: samples.sorted())?.contains(10) == true { medians += 1 }
    }
    #expect((180...199).contains(medians), "\(medians)")
  }

  /// One run in a hundred that takes a hundred times as long: the median's interval holds what the others take.
  @Test func slowRunsAreCountedAndDoNotMoveTheMedian() {
    var random = SeededRandom(seed: 5)
    var held = 0
    for _ in 0..<200 {
      let samples = (0..<50).map { _ in (random.below(100) == 0 ? 1000 : 10) + 0.1 * random.normal() }
      if Interval.median(ofSorted: samples.sorted())?.contains(10) == true { held += 1 }
    }
    #expect((185...200).contains(held), "\(held)")
    let latency = Timing(turns: [
      Timing.Turn(samples: [9, 10, 10, 10, 20, 20.1, 120], peakMemoryBytes: 1, load: nil)
    ])
    #expect(SlowRuns(latency).count == 2 && SlowRuns(latency).slowest == 120)
  }
}
