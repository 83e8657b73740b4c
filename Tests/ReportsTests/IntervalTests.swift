import Foundation
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
    #expect(Interval.median(ofSorted: [5]) == Interval(5, 5))
    #expect(Interval.median(ofSorted: [5, 6]) == Interval(5, 6))
    let ratio = Interval.medianRatio(ofSorted: hundred.map { $0 * 3 }, over: hundred)
    #expect(ratio.low < 3 && 3 < ratio.high)
  }

  /// Over many series of independent draws, the intervals hold the truth about as often as they promise.
  @Test func coverage() {
    var random = SeededRandom(seed: 3)
    var medians = 0, means = 0
    for _ in 0..<200 {
      let samples = (0..<400).map { _ in 10 + random.normal() }
      if Interval.median(ofSorted: samples.sorted()).contains(10) { medians += 1 }
      if BootstrappedMeans(samples, stream: "x").interval.contains(10) { means += 1 }
    }
    #expect((180...199).contains(medians) && (172...199).contains(means), "\(medians), \(means)")
  }

  /// A series whose neighbours are alike is worth fewer runs than it has: blocks notice, single draws would not.
  @Test func neighboursThatAreAlikeWidenTheMean() {
    var random = SeededRandom(seed: 4)
    let levels = (0..<40).map { _ in random.normal() }
    let slow = (0..<1000).map { levels[$0 / 25] }
    let interval = BootstrappedMeans(slow, stream: "x").interval
    #expect(interval.high - interval.low > 0.35)  // single draws: 4 / √1000, about 0.12
  }

  @Test func bootstrapsRepeat() {
    let samples = (0..<50).map { Double($0 * $0 % 11) }
    let isRepeated = BootstrappedMeans(samples, stream: "a").means == BootstrappedMeans(samples, stream: "a").means
    #expect(isRepeated)
    let isAnother = BootstrappedMeans(samples, stream: "a").means != BootstrappedMeans(samples, stream: "b").means
    #expect(isAnother)
    #expect(BootstrappedMeans([2], stream: "a").interval == Interval(2, 2))
    let ratio = BootstrappedMeans([4, 4], stream: "a").ratio(over: BootstrappedMeans([2, 2], stream: "b"))
    #expect(ratio == Interval(2, 2))
  }
}
