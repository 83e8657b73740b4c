import Diagnostics
import Foundation
import Testing

@testable import LuaHost
@testable import Scripting

/// Every function and closure that a script can reach, found by walking the globals and whatever calls return, called
/// with every type at every position, with wrong receivers, hostile metatables and from inside its own callbacks: each
/// call ends in results or in an error. walk.lua does it, in a process of its own, so that a crash is told together
/// with the call that was under way.
///
/// With COMPRESS_SOAK set, or COMPRESS_WALK=whole, every second planned call is made; without, every sixth.
@Suite struct SandboxWalkTests {
  private static let childFolder = WalkChild.folder
  private static let isWhole = WalkChild.isWhole

  /// What the child leaves when it has come to its end.
  private struct Report: Codable {
    var functions: Set<String> = []
    var missing: [String] = []
    var calls = 0
    var planned = 0
    var sessions = 0
    /// The most memory it ever held, in bytes.
    var peakBytes = 0
  }

  @Test(.enabled(if: childFolder == nil)) func everyFunctionSurvivesEveryCall() throws {
    let folder = try ScriptFolder()
    let child = try WalkChild(running: "SandboxWalkTests/theWalk", in: folder, seconds: Self.isWhole ? 3600 : 300)
    #expect(child.endedWell, "\(child.story)")
    guard let data = FileManager.default.contents(atPath: folder.path + "/report") else {
      Issue.record("the walk did not come to its end: \(child.story)")
      return
    }
    let report = try JSONDecoder().decode(Report.self, from: data)
    print(
      "\(report.functions.count) functions and properties found, \(report.calls) calls made in "
        + "\(report.sessions) scripts, \(report.peakBytes >> 20) MiB at most")
    #expect(report.missing.isEmpty, "defined and not found: \(report.missing.joined(separator: ", "))")
    #expect(report.functions.count >= Self.leastFunctions)
    #expect(report.calls >= (Self.isWhole ? 150_000 : 30_000))
    if !WalkChild.isSanitized { #expect(report.peakBytes < 1 << 30) }
  }

  private static let leastFunctions = 250

  // MARK: The child

  private static let limits = LuaLimits(
    memoryBytes: 64 << 20, instructions: 60_000_000, nativeBytes: 64 << 20, seconds: 30)

  @Test(.enabled(if: childFolder != nil)) func theWalk() throws {
    let folder = Self.childFolder!
    let trace = try WalkTrace(folder)
    var report = Report()
    var first = 1, number = 0, isDone = false
    while !isDone {
      report.sessions += 1
      let walked = try WalkedSession(folder, Self.limits), state = walked.state
      try state.define("walk_grow", value: .bool(false))
      try state.define("walk_first", value: .integer(first))
      try state.define("walk_stride", value: .integer(Self.isWhole ? 2 : 6))
      try state.define("walk_random", value: .integer(Self.isWhole ? 50_000 : 10_000))
      try state.define("walk_rounds", value: .integer(Self.isWhole ? 10 : 2))
      defer { walked.close() }
      state.define("walk_call") { arguments in
        number = try arguments.int(0)
        report.calls += 1
        trace.note(number, try arguments.string(1))
        return []
      }
      state.define("walk_found") { arguments in
        report.functions.insert(try arguments.string(0))
        return []
      }
      state.define("walk_done") { arguments in
        report.planned = try arguments.int(0)
        isDone = true
        return []
      }
      do {
        _ = try walked.session.run()
        try #require(isDone, "it ended early, in call \(number)")
      } catch let error as CompressError where error.kind == .limit && number > 0 {
        // A limit ends a script. What a call of its own used up is behind us; what came together may fit alone.
        first = number > first && error.message.contains("instructions") ? number : number + 1
      }
      report.missing = walked.expected.filter { !report.functions.contains($0) }
    }
    report.peakBytes = ResidentMemory.peak
    try JSONEncoder().encode(report).write(to: URL(fileURLWithPath: folder + "/report"))
  }
}
