import Testing

@testable import Reports

@Suite struct FormattingTests {
  @Test(arguments: [
    (0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1000, "-1,000"),
    (Int.min, "-9,223,372,036,854,775,808"),
  ])
  func counts(value: Int, text: String) { #expect(Formatting.count(value) == text) }

  @Test(arguments: [(99_999, "99,999 B"), (100_000, "100.0 kB"), (1_250_000, "1.25 MB"), (3_000_000_000, "3.00 GB")])
  func bytes(value: Int, text: String) { #expect(Formatting.bytes(value) == text) }

  @Test(arguments: [(0.0000086, "8.6 µs"), (0.0124, "12.40 ms"), (3.2, "3.2 s"), (125, "2:05"), (3725, "1:02:05")])
  func durations(seconds: Double, text: String) { #expect(Formatting.duration(seconds) == text) }

  @Test func clocksOfNonsense() {
    for value in [Double.nan, .infinity, -1, 1e300] { #expect(Formatting.clock(value) == "–") }
  }

  @Test(arguments: [(999, "999"), (93_120, "93.1 k"), (4_090_000_000, "4.09 G")])
  func scaled(value: Int, text: String) { #expect(Formatting.scaled(value) == text) }

  @Test func shares() {
    #expect(Formatting.percent(0.94554) == "94.55 %")
    #expect(Formatting.percent(.nan) == "n/a")
    #expect(Formatting.points(-0.0020) == "−0.20")
    #expect(Formatting.points(0.0024) == "+0.24")
    #expect(Formatting.points(-0.00001) == "0.00")
    #expect(Formatting.points(0.02, signed: false) == "2.00")
    #expect(Formatting.points(.nan) == "n/a")
  }

  @Test func ratiosAndIntervals() {
    #expect(Formatting.factor(1.5219) == "1.52×")
    #expect(Formatting.factor(256.4) == "256×")
    #expect(Formatting.factor(.infinity) == "n/a")
    #expect(Formatting.percents(Interval(0.97411, 0.98222)) == "97.41 to 98.22 %")
    #expect(Formatting.points(Interval(-0.0044, 0.0004)) == "−0.44 to +0.04")
    #expect(Formatting.factors(Interval(1.494, 1.546)) == "1.49 to 1.55")
    #expect(Formatting.milliseconds(Interval(0.0102, 0.0104)) == "10.2 to 10.4 µs")
    #expect(Formatting.milliseconds(Interval(0.9, 1.25)) == "900.0 µs to 1.25 ms")
    #expect(Formatting.significant(0.0589988) == "0.059")
    #expect(Formatting.significant(2.327028e-08) == "2.327e-08")
    #expect(Formatting.significant(.nan) == "n/a")
  }
}
