import CLuaBridge
import Diagnostics
import Foundation
import Synchronization
import Testing

@testable import LuaHost

@Suite struct LimitTests {
  @Test func instructionsRunOut() throws {
    let state = LuaState.forTests()
    let error = try #require(state.failure("\nwhile true do end", instructions: 100_000))
    #expect(error.kind == .limit)
    #expect(error.line == 2)
    #expect(error.message == "used up its budget of 100000 Lua instructions")
    #expect(try state.text("return 1") == "1")  // the state goes on
  }

  @Test(arguments: [
    "while true do pcall(function() while true do end end) end",
    "pcall(function() while true do end end) while true do end",
    "xpcall(function() while true do end end, function() while true do end end)",
    "local function f() pcall(f) f() end f()",
    "local t = setmetatable({}, {__close = function() while true do end end}) local x <close> = t while true do end",
    "table.sort({1, 2, 3}, function(a, b) while true do end end)",
    "('x'):rep(10):gsub('x', function() pcall(function() while true do end end) end)",
    "setmetatable({}, {__index = function() while true do end end}).x = nil local y = setmetatable({}, {__index = function() while true do end end}).x",
    "for _ in pairs(setmetatable({}, {__pairs = function() return function() return 1 end end})) do end",
    "error(setmetatable({}, {__tostring = function() while true do end end}))",
    "local t = setmetatable({}, {__len = function() return 1 << 60 end}) table.insert(t, 1, 0)",
    "local t = setmetatable({}, {__len = function() return math.maxinteger end}) table.remove(t, 1)",
    "local t = setmetatable({}, {__len = function() return 1 << 40 end, __index = function() return '' end}) table.concat(t)",
    "table.concat(setmetatable({}, {__index = function() return '' end}), '', 1, math.maxinteger)",
    "table.move({}, 1, math.maxinteger - 1, 2)",
    "table.sort(setmetatable({}, {__len = function() return 400000000 end}))",
    "local s = ('a'):rep(200000) s:find('.-.-.-b')",
    "local s = ('a'):rep(20000) while true do s:find('a-b') end",
    "local s = ('a'):rep(300) s:match(('a*'):rep(30) .. 'b')",
    "local s = ('a'):rep(100000) for _ in s:gmatch('.-b') do end",
    "local s = ('('):rep(100000) s:gsub('%b()', '') s:gsub('%b()', '')",
    "local s = ('a'):rep(1000000) while true do s:rep(10) end",
    "local s = ('a'):rep(1000000) while true do s:find('b', 1, true) end",
  ])
  func nothingOutrunsTheBudget(source: String) throws {
    let state = LuaState.forTests(LuaLimits(seconds: 0))
    let error = try #require(state.failure(source, instructions: 3_000_000), "\(source)")
    #expect(error.kind == .limit || source.contains("gsub('%b()'"), "\(source): \(error)")
  }

  @Test func hugeRepeatsOfNothingReturnAtOnce() throws {
    let state = LuaState.forTests()
    #expect(try state.text("return #(''):rep(1 << 60), #string.rep('', 1e18, '')") == "0 0")
    #expect(
      try state.text("return ('ab'):rep(3, '-'), ('x'):rep(0), ('x'):rep(-5), ('x'):rep(1, 'yy')") == "ab-ab-ab   x")
    #expect(state.failure("pcall(string.rep, 'x', 1 << 60)")?.kind == .limit)
    #expect(state.failure("return ('x'):rep(1 << 40)")?.kind == .limit)
  }

  @Test(arguments: [
    "local t = {} for i = 1, 1e8 do t[i] = {i} end",
    "pcall(function() local t = {} for i = 1, 1e8 do t[i] = {i} end end) while true do end",
    "while true do pcall(function() local t = {} for i = 1, 1e8 do t[i] = {i} end end) end",
    "local s = 'x' while true do s = s .. s end",
    "local t = {} for i = 1, 30 do t[i] = ('x'):rep(1000000) end return table.concat(t)",
    "local s = ('x'):rep(4000000) return (s:gsub('x', 'yyyyyyyyyyyyyyy'))",
    "return string.pack('c100000000', '')",
  ])
  func memoryRunsOut(source: String) throws {
    let state = LuaState.forTests(LuaLimits(memoryBytes: 8 << 20, seconds: 0))
    let error = try #require(state.failure(source, instructions: 200_000_000), "\(source)")
    #expect(error.kind == .limit || error.message.contains("stack overflow"), "\(source): \(error)")
    state.collectGarbage()
    #expect(state.memoryBytes < 4 << 20)
    #expect(try state.text("return 1 + 1") == "2")
  }

  @Test func memoryRunsOutWhileSwiftIsOnTop() throws {
    let state = LuaState.forTests(LuaLimits(memoryBytes: 4 << 20))
    state.define("big") { _ in [.string(String(repeating: "x", count: 16 << 20))] }
    state.define("many") { arguments in
      [.table(try arguments.state.makeTable((0..<100_000).map { .string("number \($0)") }))]
    }
    for source in [
      "big()", "many()", "pcall(big) local t = {}", "local t = {} for i = 1, 10 do t[i] = pcall(many) end",
    ] {
      let error = try #require(state.failure("\n" + source), "\(source)")
      #expect(error.kind == .limit)
      #expect(error.line == 2)
      state.collectGarbage()
      #expect(state.memoryBytes < 1 << 20)
    }
  }

  @Test func garbageMadeByTheHostIsCollectedBeforeItCounts() throws {
    let state = LuaState.forTests(LuaLimits(memoryBytes: 4 << 20))
    state.define("text") { _ in [.string(String(repeating: "x", count: 1 << 20))] }
    #expect(try state.text("for i = 1, 100 do local s = text() end return 'done'") == "done")
  }

  @Test func aNestedCallHasItsOwnBudgetWhenGivenOne() throws {
    let state = LuaState.forTests(LuaLimits(seconds: 0))
    let worker = try #require(try state.run("return function(n) for i = 1, n do end return n end")[0].function)
    state.define("own") { try worker.call($0[0], instructions: 500_000) }
    state.define("shared") { try worker.call($0[0]) }
    #expect(state.failure("for i = 1, 10 do own(100000) end", instructions: 50_000) == nil)
    #expect(state.failure("for i = 1, 10 do shared(100000) end", instructions: 50_000)?.kind == .limit)
    #expect(state.failure("pcall(own, 1e7) local x = 1", instructions: 50_000)?.message.contains("500000") == true)
    #expect(state.failure("while true do own(1) end", instructions: 50_000)?.message.contains("50000 ") == true)
  }

  @Test func aHostThatCatchesALimitOfANestedCallGoesOn() throws {
    let state = LuaState.forTests(LuaLimits(seconds: 0))
    let endless = try state.load("while true do end", name: "endless.lua")
    state.define("attempt") { arguments in
      do { return try endless.call(instructions: 10_000) } catch let error as CompressError {
        return [.string(error.message)]
      }
    }
    #expect(try state.text("return attempt(), attempt()").contains("10000"))
    #expect(state.failure("while true do attempt() end", instructions: 100_000)?.kind == .limit)
  }

  @Test func limitErrorsOfTheHostCannotBeCaught() throws {
    let state = LuaState.forTests()
    var reached = false
    state.define("limit") { _ in throw CompressError("too much", kind: .limit) }
    state.define("reach") { _ in
      reached = true
      return []
    }
    for source in ["pcall(limit) reach()", "xpcall(limit, reach) reach()", "pcall(pcall, limit) reach()"] {
      #expect(state.failure("\n" + source) == CompressError("too much", kind: .limit).at(script: "test.lua", line: 2))
    }
    #expect(!reached)
  }

  @Test func nativeBytesAreLimitedAndGarbageIsFreedFirst() throws {
    let counter = Counter()
    let state = stateWithThings(counter, bytes: 1 << 20, limits: LuaLimits(nativeBytes: (8 << 20) + 8 * 512))
    #expect(try state.text("for i = 1, 100 do local t = thing(i) end return 'done'") == "done")
    #expect(counter.alive <= 8)
    let error = try #require(state.failure("local all = {} for i = 1, 9 do all[i] = thing(i) end"))
    #expect(error.kind == .limit)
    #expect(error.message == "tensors would need 1048576 bytes more; 8392704 of the 8392704 allowed are in use")
    state.collectGarbage()
    #expect(state.nativeBytes == 0)
    #expect(throws: CompressError.self) { try state.reserveNative(bytes: .max) }
  }

  @Test func growthOfNativeBytesCollects() throws {
    let counter = Counter()
    let state = stateWithThings(counter, bytes: 32 << 20, limits: LuaLimits(nativeBytes: .max))
    try state.run("for i = 1, 1000 do local t = thing(i) end")
    #expect(counter.alive < 20)
  }

  private final class Fired: Sendable { let count = Mutex(0) }

  @Test func theWatchdogStopsALoopByItsHook() throws {
    let fired = Fired()
    let state = LuaState(
      limits: LuaLimits(instructions: .max, seconds: 0.1), seed: 1, random: { TestGenerator(state: $0) },
      stalled: { _ in fired.count.withLock { $0 += 1 } })
    let error = try #require(state.failure("\nwhile true do pcall(function() while true do end end) end"))
    #expect(error.kind == .limit)
    #expect(error.line == 2)
    // Each instruction copies all arguments: slow long before the budget is used up.
    #expect(state.failure("local function f(...) return f(1, ...) end f()")?.kind == .limit)
    #expect(error.message == "took more than 0.1 s of the script's own time")
    #expect(fired.count.withLock { $0 } == 0)
    #expect(try state.text("return 1") == "1")
  }

  @Test func theWatchdogFiresWhenTheHookDoesNotHelp() throws {
    final class Seen: Sendable { let text = Mutex("") }
    let seen = Seen()
    let state = LuaState(
      limits: LuaLimits(seconds: 0.05), seed: 1, random: { TestGenerator(state: $0) },
      stalled: { what in seen.text.withLock { $0 = what } })
    // A library function that does not come back until the watchdog has seen it.
    withUnsafePointer(to: seen) { seen in
      lua_pushlightuserdata(state.L, UnsafeMutableRawPointer(mutating: seen))
      lua_pushcclosure(
        state.L,
        { L in
          guard let address = lua_touserdata(L, 1) else { return 0 }
          let seen = address.assumingMemoryBound(to: Seen.self).pointee
          while seen.text.withLock({ $0.isEmpty }) {}
          return 0
        }, 0)
      let stuck = state.popValue()
      let address = LuaReference(popping: state)
      #expect(throws: CompressError.self) {
        try state.run("return function(f, x) f(x) while true do end end", name: "stuck.lua")[0].function.map {
          try $0.call(stuck, .function(LuaFunction(address)))
        }
      }
    }
    #expect(seen.text.withLock { $0 } == "stuck.lua:1")
  }

  @Test func timeOfTheEngineDoesNotCount() throws {
    let state = LuaState(
      limits: LuaLimits(seconds: 0.2), seed: 1, random: { TestGenerator(state: $0) }, stalled: { _ in })
    state.define("work") { arguments in
      arguments.state.engineWork {
        let end = ContinuousClock.now + .milliseconds(500)
        while ContinuousClock.now < end {}
      }
      return []
    }
    #expect(try state.text("work() work() return 'done'") == "done")
  }

  @Test func timeOfHostFunctionsCountsAndIsNotForgottenFromCallToCall() throws {
    let state = LuaState(
      limits: LuaLimits(seconds: 0.2), seed: 1, random: { TestGenerator(state: $0) }, stalled: { _ in })
    state.define("work") { _ in
      let end = ContinuousClock.now + .milliseconds(10)
      while ContinuousClock.now < end {}
      return []
    }
    #expect(state.failure("while true do pcall(work) end")?.kind == .limit)
    #expect(state.failure("for i = 1, 3 do work() end") == nil)
  }

  @Test func aHostFunctionIsToldToStopAndWhatItReturnsIsDropped() throws {
    let state = LuaState(
      limits: LuaLimits(seconds: 0.1), seed: 1, random: { TestGenerator(state: $0) }, stalled: { _ in })
    var stopped = 0, seen = false
    state.define("work") { _ in
      let cancellation = Cancellation.current
      while cancellation?.isRequested == false {}
      stopped += 1
      return [.string("half of it")]
    }
    state.define("see") { _ in
      seen = true
      return []
    }
    let error = try #require(state.failure("local ok, half = pcall(work) see(half)"))
    #expect(error.message == "took more than 0.1 s of the script's own time")
    #expect(stopped == 1)
    #expect(!seen)
    #expect(try state.text("return 1") == "1")
  }

  @Test func anInterruptIsHeardInsideAHostFunction() throws {
    let state = LuaState.forTests()
    state.define("work") { arguments in
      arguments.state.interrupt.cancel()
      return [.bool(Cancellation.current?.isRequested == true)]
    }
    #expect(state.failure("pcall(work)")?.kind == .cancelled)
  }

  @Test func growthOfTheProcessIsLimitedHoweverMemoryIsTaken() throws {
    let state = LuaState.forTests(LuaLimits(memoryBytes: 8 << 20, nativeBytes: 8 << 20))
    final class Hoard { var blocks: [UnsafeMutableRawPointer] = [] }
    let hoard = Hoard()
    defer { for block in hoard.blocks { block.deallocate() } }
    state.define("take") { _ in
      let block = UnsafeMutableRawPointer.allocate(byteCount: 64 << 20, alignment: 64)
      memset(block, 1, 64 << 20)
      hoard.blocks.append(block)
      return []
    }
    let error = try #require(state.failure("for i = 1, 40 do take() end"))
    #expect(error.kind == .limit)
    #expect(error.message.contains("made the process grow"))
    #expect(hoard.blocks.count < 32)
  }

  @Test func slowInstructionsDoNotOutrunTheClock() throws {
    let state = LuaState(
      limits: LuaLimits(instructions: .max, seconds: 0.3), seed: 1, random: { TestGenerator(state: $0) },
      stalled: { _ in })
    for source in [
      "local s = ('x'):rep(40 << 20) while true do local t = s .. 'y' end",
      "local s = ('x'):rep(40 << 20) while true do s:upper() end",
      "local a, b = ('x'):rep(20 << 20) .. 'a', ('x'):rep(20 << 20) .. 'b' while true do local c = a < b end",
    ] {
      #expect(state.failure(source)?.kind == .limit, "\(source)")
    }
  }

  @Test(arguments: ["upper", "lower", "reverse", "len"])
  func stringFunctionsCountByTheirBytes(name: String) throws {
    let state = LuaState.forTests(LuaLimits(seconds: 0))
    let call = name == "len" ? "utf8.len(s)" : "s:\(name)()"
    let source = "local s = ('x'):rep(1 << 20) for i = 1, 1000 do \(call) end"
    #expect(state.failure(source, instructions: 4_000_000)?.kind == .limit)
    // One byte of a long string is one byte.
    #expect(state.failure("local s = ('x'):rep(1 << 20) for i = 1, 1000 do s:sub(i, i) end", instructions: 4_000_000) == nil)
  }

  @Test func longStringsAreNotCopiedForTheHost() throws {
    let state = LuaState.forTests()
    state.define("count") { arguments in [.integer(arguments.count), .bool(arguments[0].string == nil)] }
    state.define("name") { arguments in [.string(try arguments.string(0))] }
    state.define("list") { arguments in [.integer(try arguments.table(0).array.count)] }
    #expect(try state.text("local s = ('x'):rep(2 << 20) return count(s, s, s)") == "3 true")
    #expect(
      state.failure("name(('x'):rep(2 << 20))")?.message
        == "name: argument 1 must be a string, got a string of 2097152 bytes (at most 1048576 are taken)")
    // A hundred thousand times the same megabyte.
    #expect(try state.text("local s, t = ('x'):rep(1 << 20), {} for i = 1, 1e5 do t[i] = s end return list(t)") == "100000")
    #expect(state.failure("return ({})[('x'):rep(100 << 20)].y", instructions: 1_000_000) != nil)
  }

  @Test func objectsWithoutBytesOfTheirOwnCount() throws {
    let counter = Counter()
    let state = stateWithThings(counter, bytes: 0, limits: LuaLimits(nativeBytes: 1 << 20))
    let error = try #require(state.failure("local all = {} for i = 1, 1e6 do all[i] = thing(i) end"))
    #expect(error.kind == .limit)
    #expect(counter.alive <= 2048)
  }

  @Test func sharedMemoryCountsOnce() throws {
    final class Part {}
    let state = LuaState.forTests(LuaLimits(nativeBytes: 64 << 20))
    let whole = Counter()
    state.define(LuaClass<Part>("Part", shared: { _ in [SharedMemory(whole, bytes: 32 << 20)] }))
    state.define("part") { _ in [.object(Part())] }
    #expect(try state.text("all = {} for i = 1, 100 do all[i] = part() end return #all") == "100")
    #expect(state.nativeBytes == (32 << 20) + 100 * 512)
    state.collectGarbage()
    #expect(state.nativeBytes == 0)
  }

  @Test func anInterruptCannotBeCaught() throws {
    let state = LuaState.forTests(LuaLimits(seconds: 0))
    state.define("interrupt") { arguments in
      arguments.state.interrupt.cancel()
      return []
    }
    #expect(state.failure("interrupt() while true do pcall(function() while true do end end) end")?.kind == .cancelled)
    #expect(state.failure("for i = 1, 1e6 do end")?.kind == .cancelled)
    state.interrupt.reset()
    #expect(state.failure("for i = 1, 1e6 do end") == nil)
    let interrupt = LuaState.forTests().interrupt
    interrupt.cancel()  // after its state is gone
  }
}
