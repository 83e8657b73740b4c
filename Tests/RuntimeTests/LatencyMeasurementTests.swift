import Diagnostics
import Testing

@testable import Runtime

@Suite struct LatencyMeasurementTests {
  @Test func percentilesAreMeasuredSamples() {
    let statistics = LatencyStatistics(nanoseconds: (1...10).map { UInt64($0) * 1_000_000 }.reversed())
    #expect(statistics.min == 1)
    #expect(statistics.p50 == 5)
    #expect(statistics.p90 == 9)
    #expect(statistics.p99 == 10)
    #expect(statistics.max == 10)
    #expect(statistics.mean == 5.5)
    #expect(statistics.count == 10)
  }

  @Test func oneSampleIsEveryStatistic() {
    let statistics = LatencyStatistics(nanoseconds: [1500])
    for value in [statistics.mean, statistics.min, statistics.p50, statistics.p90, statistics.p99, statistics.max] {
      #expect(value == 0.0015)
    }
  }

  @Test func everySampleIsKeptAndWarmUpIsNot() throws {
    var calls: [Int] = []
    let measurement = try LatencyMeasurement(runs: 5, warmUp: 7) { calls.append($0) }
    #expect(measurement.samples.count == 5)
    #expect(measurement.warmUp == 7)
    #expect(calls == [0, 1, 2, 3, 4, 0, 1] + [0, 1, 2, 3, 4])
  }

  @Test func eachRunIsPreparedFirst() throws {
    var order: [String] = []
    _ = try LatencyMeasurement(
      runs: 2, warmUp: 1, prepare: { order.append("prepare \($0)") }, { order.append("run \($0)") })
    #expect(order == ["prepare 0", "run 0", "prepare 0", "run 0", "prepare 1", "run 1"])
  }

  /// However long it is to last, each sample has a limited number of runs, and one of them is timed.
  @Test func untimedRunsStretchIt() throws {
    var prepared: [Int] = [], calls: [Int] = []
    let measurement = try LatencyMeasurement(
      runs: 3, warmUp: 2, lasting: 1e9, prepare: { prepared.append($0) }, { calls.append($0) })
    #expect(measurement.samples.count == 3)
    let most = LatencyMeasurement.mostRuns
    #expect(calls == [0, 1] + (0..<3).flatMap { [Int](repeating: $0, count: most) } && prepared == calls)
    calls = []
    // What takes long enough by itself is not stretched, nor what is not warmed up.
    _ = try LatencyMeasurement(runs: 2, warmUp: 1, lasting: 1e-12) { calls.append($0) }
    _ = try LatencyMeasurement(runs: 2, warmUp: 0, lasting: 1e9) { calls.append($0) }
    #expect(calls == [0, 0, 1, 0, 1])
  }

  @Test func timesAreOfTheMonotonicClock() throws {
    let measurement = try LatencyMeasurement(runs: 2, warmUp: 0) { _ in
      let start = monotonicNanoseconds()
      while monotonicNanoseconds() < start + 100_000 {}
    }
    #expect(measurement.samples.allSatisfy { $0 >= 100_000 })
  }

  @Test func absurdCountsAreRefused() {
    #expect(throws: CompressError.self) { try LatencyMeasurement(runs: 0) { _ in } }
    #expect(throws: CompressError("1 runs after -1 warm-up runs cannot be measured")) {
      try LatencyMeasurement(runs: 1, warmUp: -1) { _ in }
    }
  }

  @Test func errorsPassThrough() {
    #expect(throws: CompressError("broken")) { try LatencyMeasurement(runs: 3) { _ in throw CompressError("broken") } }
  }
}

@Suite struct PeakMemoryTests {
  @Test func largeAllocationsShow() {
    PeakMemory.reset()
    let before = PeakMemory.bytes()
    #expect(before > 1 << 20)
    let size = 64 << 20
    let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
    block.initializeMemory(as: UInt8.self, repeating: 1, count: size)
    block.deallocate()
    #expect(PeakMemory.bytes() >= before + size / 2)
  }
}
