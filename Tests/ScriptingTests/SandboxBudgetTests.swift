import Diagnostics
import Foundation
import LuaHost
import Testing

@testable import Scripting

/// Budgets attacked by a generator: each function that yields something new, as the walk finds them, is called again
/// and again, and all that it yields is kept, until a limit refuses it or its time is over. Whatever it makes, the
/// process may hold no more than its limits allow.
///
/// With COMPRESS_SOAK set, or COMPRESS_WALK=whole, all of them; without, some.
@Suite struct SandboxBudgetTests {
  private static let childFolder = WalkChild.folder
  private static let limits = LuaLimits(
    memoryBytes: 32 << 20, instructions: 100_000_000, nativeBytes: 32 << 20, seconds: 30)
  /// For what is freed late, and for what allocators keep.
  private static let slack = 96 << 20

  private struct Report: Codable {
    var grown = 0
    var refused = 0
    var tooLarge: [String] = []
    var found = 0
  }

  @Test(.enabled(if: childFolder == nil && !WalkChild.isSanitized)) func nothingOutgrowsTheLimits() throws {
    let folder = try ScriptFolder()
    let child = try WalkChild(
      running: "SandboxBudgetTests/theGrowth", in: folder, seconds: WalkChild.isWhole ? 3600 : 300)
    #expect(child.endedWell, "\(child.story)")
    guard let data = FileManager.default.contents(atPath: folder.path + "/report") else {
      Issue.record("the growth did not come to its end: \(child.story)")
      return
    }
    let report = try JSONDecoder().decode(Report.self, from: data)
    print("\(report.found) ways to make something found, \(report.grown) grown, \(report.refused) of them refused")
    #expect(report.tooLarge.isEmpty, "\(report.tooLarge.joined(separator: "\n"))")
    #expect(report.found >= 150)
    #expect(report.grown >= (WalkChild.isWhole ? 150 : 12))
    #expect(report.refused > 0)
  }

  @Test(.enabled(if: childFolder != nil)) func theGrowth() throws {
    let folder = Self.childFolder!, trace = try WalkTrace(folder)
    var found: [(number: Int, name: String)] = []
    var first = 1, isDone = false
    while !isDone {
      let session = try WalkedSession(folder, Self.limits)
      let last = try run(session, grow: 0, first: first, trace, seconds: 1) { found.append(($0, $1)) }
      if let last { first = last + 1 } else { isDone = true }
    }
    var report = Report()
    report.found = found.count
    let step = WalkChild.isWhole ? 1 : max(1, found.count / 16)
    for (number, name) in found.enumerated().filter({ $0.offset % step == step / 2 }).map(\.element) {
      ResidentMemory.startAnew()
      let before = ResidentMemory.now
      let session = try WalkedSession(folder, Self.limits)
      let stopped = try run(session, grow: number, first: 1, trace, seconds: WalkChild.isWhole ? 1 : 0.5) { _, _ in }
      report.grown += 1
      if stopped != nil { report.refused += 1 }
      let grown = ResidentMemory.peak - before
      if grown > Self.limits.memoryBytes + Self.limits.nativeBytes + Self.slack {
        report.tooLarge.append("\(name): \(grown >> 20) MiB\(stopped == nil ? "" : ", then refused")")
      }
      // As far as it has come, in case it comes no further.
      try JSONEncoder().encode(report).write(to: URL(fileURLWithPath: folder + "/report"))
    }
  }

  /// Returns the number of the call that a limit stopped; nil when the script came to its end.
  private func run(
    _ walked: WalkedSession, grow: Int, first: Int, _ trace: WalkTrace, seconds: Double,
    found: @escaping (Int, String) -> Void
  ) throws -> Int? {
    let state = walked.state
    defer { walked.close() }
    var number = 0, isDone = false
    var end: ContinuousClock.Instant?
    try state.define("walk_grow", value: .integer(grow))
    try state.define("walk_first", value: .integer(first))
    for name in ["walk_stride", "walk_random", "walk_rounds"] { try state.define(name, value: .integer(1)) }
    state.define("walk_call") { arguments in
      number = try arguments.int(0)
      trace.note(number, "growing \(try arguments.string(1))")
      return []
    }
    state.define("walk_found") { _ in [] }
    state.define("walk_grows") { arguments in
      found(try arguments.int(0), try arguments.string(1))
      return []
    }
    // True once the time is over, and from then on anew.
    state.define("walk_late") { _ in
      let now = ContinuousClock.now
      guard let over = end else {
        end = now + .seconds(seconds)
        return [.bool(false)]
      }
      if now > over { end = nil }
      return [.bool(now > over)]
    }
    state.define("walk_done") { _ in
      isDone = true
      return []
    }
    do {
      _ = try walked.session.run()
      try #require(isDone, "it ended early, in call \(number)")
      return nil
    } catch let error as CompressError where error.kind == .limit && number > 0 {
      return number
    } catch let error as CompressError where grow > 0 && number > 0 {
      // Refused in another way: so many were enough.
      _ = error
      return number
    }
  }
}
