import Testing

@testable import Runtime

@Suite struct MachineLoadTests {
  private static let stat = """
    cpu  100 20 30 4000 50 6 7 8 9 1
    cpu0 50 10 15 2000 25 3 3 4 4 0
    cpu1 50 10 15 2000 25 3 4 4 5 1
    intr 12345 1 2
    ctxt 99
    """

  @Test func countsOfTheMachineAreRead() throws {
    let ticks = try #require(MachineCounters.Ticks(stat: Self.stat))
    #expect(ticks.busy == 163 && ticks.stolen == 8 && ticks.processors == 2)
    for broken in ["", "cpu", "cpu 1 2 3\ncpu0 1", "intr 1", "cpu a b c d e f g h\ncpu0 1"] {
      #expect(MachineCounters.Ticks(stat: broken) == nil, "\(broken)")
    }
    let pressure = "some avg10=0.00 avg60=0.27 avg300=0.90 total=12659433543\nfull avg10=0.00 total=7\n"
    #expect(MachineCounters.waiting(pressure: pressure) == 12_659_433_543)
    #expect(MachineCounters.waiting(pressure: "full total=7") == nil && MachineCounters.waiting(pressure: "") == nil)
  }

  @Test func aReadingAfterAnotherHasNoLess() {
    let start = MachineCounters(), load = MachineLoad(from: start, to: MachineCounters())
    #expect(load.seconds >= 0 && load.own >= 0 && load.preemptions >= 0)
    #expect((load.others ?? 0) >= 0 && (load.stolen ?? 0) >= 0 && (load.waiting ?? 0) >= 0)
  }
}
