import Diagnostics
import Foundation
import Testing

@testable import Devices

/// What a machine answers that nobody vouches for.
@Suite struct RunnerAnswerTests {
  private static let answer = """
    {"runner":1,"machine":{"name":"A board","system":"Linux 6.1","processors":4},"plans":[
    {"isa":"neon","threads":2,"undefined":0,"turns":[
    {"ns":[1000000,2000000],"peak_memory_bytes":4096,"temperature_millidegrees":51500,"clock_khz":1800000},
    {"ns":[3000000,4000000],"peak_memory_bytes":8192}],"steps_ns":[7,8]}]}
    """

  private func job() -> RunnerJob {
    var job = RunnerJob(plans: 1, samples: 1)
    (job.threads, job.runs, job.turns, job.timesSteps) = (2, 2, 2, true)
    return job
  }

  private func read(_ text: String) throws -> RunnerAnswer { try RunnerAnswer(Array(text.utf8), to: job()) }

  @Test func isRead() throws {
    let answer = try read(Self.answer), plan = answer.plans[0]
    #expect(answer.machine.name == "A board" && answer.machine.processors == 4)
    #expect(plan.isa == "neon" && plan.stepNanoseconds == [7, 8])
    #expect(plan.turns.map(\.nanoseconds) == [[1_000_000, 2_000_000], [3_000_000, 4_000_000]])
    #expect(plan.turns[0].temperature == 51.5 && plan.turns[0].clock == 1800)
    #expect(plan.turns[1].temperature == nil && plan.turns[1].clock == nil)
    #expect(plan.turns[1].peakMemoryBytes == 8192)
  }

  @Test(arguments: [
    ("\"runner\":1", "\"runner\":2"), ("\"runner\":1,", ""), ("A board", "A\\u001b[31mboard"), ("A board", "Ä"),
    ("A board", String(repeating: "x", count: 300)), ("\"processors\":4", "\"processors\":0"),
    ("\"processors\":4", "\"processors\":-4"), ("\"processors\":4", "\"processors\":1e9"), ("\"neon\"", "\"ne\\non\""),
    ("\"neon\"", "7"), ("\"threads\":2", "\"threads\":3"), ("\"undefined\":0", "\"undefined\":2"),
    ("[1000000,2000000]", "[1000000]"), ("[1000000,2000000]", "[1000000,-2]"), ("[1000000,2000000]", "[1,2.5]"),
    ("[1000000,2000000]", "[1,1e300]"), ("[1000000,2000000]", "[1,18446744073709551616]"),
    ("[1000000,2000000]", "[1,86400000000001]"), ("[1000000,2000000]", "[]"), ("[1000000,2000000]", "[1,2,3]"),
    ("4096", "0"), ("4096", "9223372036854775807"), ("51500", "99999999"), ("1800000", "-1"),
    (",\"steps_ns\":[7,8]", ""), ("[7,8]", "[7,86400000000001]"), ("}]}", "},{}]}"), ("]}]}", "]}"),
    ("{\"runner", "[{\"runner"),
    ("\"plans\":[", "\"plans\":[[[[[[[[[[[["), ("\"plans\":", "\"plan\":"),
  ])
  func isRefused(_ part: String, _ other: String) throws {
    let text = Self.answer.replacingOne(part, with: other)
    try #require(text != Self.answer, "\(part) is not in it")
    #expect(throws: CompressError.self) { try read(text) }
  }

  @Test func ofAnotherJobIsRefused() throws {
    let bytes = Array(Self.answer.utf8)
    for change in [
      { $0.plans = 2 }, { $0.turns = 1 }, { $0.runs = 3 }, { $0.timesSteps = false }, { $0.threads = 1 },
    ] as [(inout RunnerJob) -> Void] {
      var other = job()
      change(&other)
      #expect(throws: CompressError.self) { try RunnerAnswer(bytes, to: other) }
    }
    // As many as fit is any number.
    var open = job()
    (open.runs, open.threads) = (0, 0)
    #expect(try RunnerAnswer(bytes, to: open).plans[0].turns[0].nanoseconds.count == 2)
  }

  /// Every prefix, and every byte changed: an error or an answer, never a trap.
  @Test func isNeverTakenOnTrust() throws {
    let bytes = Array(Self.answer.utf8)
    for count in bytes.indices {
      #expect(throws: CompressError.self) { try RunnerAnswer(Array(bytes[..<count]), to: job()) }
    }
    for index in bytes.indices {
      for byte in [0, 0x22, 0x2D, 0x39, 0x5B, 0x7B, 0xFF] as [UInt8] {
        var changed = bytes
        changed[index] = byte
        _ = try? RunnerAnswer(changed, to: job())
      }
    }
  }
}

extension String {
  fileprivate func replacingOne(_ part: String, with other: String) -> String {
    guard let range = range(of: part) else { return self }
    return replacingCharacters(in: range, with: other)
  }
}
