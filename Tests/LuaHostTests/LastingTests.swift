import Testing

@testable import LuaHost

/// That a script is still running is told from within, with its line.
@Suite struct LastingTests {
  @Test func aLongCallTellsWhereItIs() throws {
    let state = LuaState(
      seed: 1, random: { TestGenerator(state: $0) }, print: { _ in }, patience: 0.02)
    var told: [LuaState.Lasting?] = []
    state.onLasting = { told.append($0) }
    state.define("told") { _ in [.bool(told.contains { $0 != nil })] }
    try state.run("local n = 0\nwhile not told() do\n  n = n + 1\nend", name: "dir/long.lua")
    let first = try #require(told.first ?? nil)
    #expect(first.script == "dir/long.lua" && (2...3).contains(first.line) && first.seconds >= 0.02)
    // And that it has ended, once.
    #expect(told.last == .some(nil) && told.count { $0 == nil } == 1)
    told = []
    #expect(try state.text("return 1") == "1")
    #expect(told.isEmpty)
  }

  /// The engine's work is told by the engine.
  @Test func engineWorkIsNotTheScripts() throws {
    let state = LuaState(
      seed: 1, random: { TestGenerator(state: $0) }, print: { _ in }, patience: 0.02)
    var told = 0
    state.onLasting = { if $0 != nil { told += 1 } }
    state.define("work") { [unowned state] _ in
      state.engineWork {
        let end = ContinuousClock.now + .milliseconds(150)
        while ContinuousClock.now < end {}
      }
      return []
    }
    try state.run("work() for i = 1, 100 do end")
    #expect(told == 0)
  }
}
