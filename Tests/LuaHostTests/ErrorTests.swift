import Diagnostics
import Testing

@testable import LuaHost

@Suite struct ErrorTests {
  @Test func luaErrorsCarryScriptAndLine() throws {
    let state = LuaState.forTests()
    let error = try #require(state.failure("\n\nlocal x = nil + 1", name: "pipelines/a.lua"))
    #expect(error.script == "pipelines/a.lua")
    #expect(error.line == 3)
    #expect(error.message == "attempt to perform arithmetic on a nil value")
    #expect(error.kind == .usage)
  }

  @Test func syntaxErrorsCarryScriptAndLine() throws {
    let error = try #require(LuaState.forTests().failure("x = 1\nfor", name: "b.lua"))
    #expect(error.script == "b.lua")
    #expect(error.line == 2)
    #expect(error.message.contains("expected near"))
  }

  @Test(arguments: [58, 59, 60, 61, 200])
  func longNamesAreKeptWhole(length: Int) throws {
    let name = String(repeating: "d", count: length - 5) + "/.lua"
    let state = LuaState.forTests()
    #expect(state.failure("error('x')", name: name)?.script == name)
    #expect(state.failure("error('x')", name: name)?.message == "x")
    #expect(state.failure("x x", name: name)?.script == name)
  }

  @Test func hostErrorsAreLocatedAtTheCaller() throws {
    let state = LuaState.forTests()
    state.define("fail") { _ in
      throw CompressError("no good", kind: .input, hint: "try").at(layer: "conv1").at(file: "m.onnx")
    }
    let error = try #require(state.failure("local a\nfail()\n"))
    #expect(
      error
        == CompressError("no good", kind: .input, hint: "try").at(layer: "conv1").at(file: "m.onnx").at(
          script: "test.lua", line: 2))
  }

  @Test func anErrorTravelsThroughNestedCallsUnchanged() throws {
    let state = LuaState.forTests()
    let plugin = try state.load("local f = ...\nreturn function(x)\n  f(x)\nend", name: "plugin.lua")
    state.define("fail") { _ in throw CompressError("deep", kind: .system).at(layer: "l") }
    let inner = try #require(try state.call(plugin, [state.run("return fail")[0]])[0].function)
    state.define("apply") { arguments in try inner.call(arguments[0]) }
    let error = try #require(state.failure("\n\n\napply(1)", name: "outer.lua"))
    #expect(error == CompressError("deep", kind: .system).at(layer: "l").at(script: "plugin.lua", line: 3))
  }

  @Test func aCaughtErrorReadsWellAndComesBackWhole() throws {
    let state = LuaState.forTests()
    state.define("fail") { _ in throw CompressError("broken", kind: .input).at(file: "x.bin") }
    #expect(try state.text("local ok, e = pcall(fail)\nreturn tostring(ok), e") == "false test.lua:1: x.bin: broken")
    let again = state.failure("local ok, e = pcall(fail)\nerror(e, 0)")
    #expect(again?.kind == .input)
    #expect(again?.file == "x.bin")
    #expect(again?.message == "broken")
    let located = state.failure("local ok, e = pcall(fail)\nerror(e)")
    #expect(located?.kind == .input)
    #expect(located?.message == "broken")
  }

  @Test func otherSwiftErrorsBecomeMessages() throws {
    struct Odd: Error, CustomStringConvertible { var description: String { "odd one" } }
    let state = LuaState.forTests()
    state.define("odd") { _ in throw Odd() }
    state.define("stop") { _ in throw CancellationError() }
    #expect(state.failure("odd()")?.message == "odd one")
    #expect(state.failure("pcall(stop) pcall(stop)")?.kind == .cancelled)
  }

  @Test func errorValuesThatAreNoStrings() throws {
    let state = LuaState.forTests()
    #expect(state.failure("\nerror({})")?.description == "test.lua:2: error value is a table")
    #expect(state.failure("error(setmetatable({}, {__tostring = function() return 'mine' end}))")?.message == "mine")
    #expect(state.failure("error()")?.message == "error value is a nil")
    #expect(state.failure("error(setmetatable({}, {__tostring = function() error('again') end}))") != nil)
    #expect(try state.text("local ok, e = pcall(error, {code = 7}) return e.code") == "7")
  }

  @Test func aThousandErrorsLeakNothing() throws {
    let counter = Counter()
    let state = stateWithThings(counter)
    state.define("fail") { arguments in throw CompressError("number \(try arguments.int(0))") }
    let inner = try state.load("local t, i = ...\nlocal u = t:plus(i)\nfail(u.value)", name: "inner.lua")
    state.define("nest") { arguments in try inner.call(arguments[0], arguments[1]) }
    let main = try state.load("local i = ...\nlocal t = thing(1)\nnest(t, i)", name: "outer.lua")
    for i in 0..<1000 {
      let error = #expect(throws: CompressError.self) { try main.call(.integer(i)) }
      #expect(error?.message == "number \(i + 1)")
      #expect(error?.script == "inner.lua")
    }
    for i in 0..<5000 { #expect(throws: CompressError.self) { try main.call(.integer(i)) } }
    state.collectGarbage()
    let before = state.memoryBytes
    for i in 0..<5000 { #expect(throws: CompressError.self) { try main.call(.integer(i)) } }
    state.collectGarbage()
    #expect(state.memoryBytes < before + 5000 * 16)  // tables of Lua's own may still double
    #expect(counter.alive == 0)
    #expect(counter.released == 22000)
  }

  @Test func argumentErrorsNameFunctionPositionExpectedAndGot() throws {
    let state = stateWithThings(Counter())
    state.define("f") { arguments in
      _ = try arguments.int(0)
      _ = try arguments.optionalTable(1)
      _ = try arguments.object(2, Thing.self)
      try arguments.atMost(3)
      return []
    }
    #expect(state.failure("f()")?.message == "f: argument 1 must be an integer, got nothing")
    #expect(state.failure("f(2.5)")?.message == "f: argument 1 must be an integer, got 2.5")
    #expect(state.failure("f(1, 'abc')")?.message == "f: argument 2 must be a table, got \"abc\"")
    #expect(state.failure("f(1, nil, {})")?.message == "f: argument 3 must be a Thing, got a table")
    #expect(state.failure("f(1.0, {}, thing(1), 4)")?.message == "f takes 3 arguments, got 4")
    #expect(state.failure("f(1, {}, thing(1))") == nil)
    #expect(
      state.failure("thing(1):plus(thing(2))")?.message == "Thing:plus: argument 1 must be an integer, got a Thing")
  }

  @Test func undefinedGlobalsAreErrorsWithTheNearestName() throws {
    let state = LuaState.forTests()
    state.define("prune") { _ in [] }
    #expect(
      state.failure("\nprone()")?.description
        == "test.lua:2: global variable \"prone\" is not defined (did you mean \"prune\"?)")
    #expect(state.failure("local t = threshold")?.message == "global variable \"threshold\" is not defined")
    #expect(state.failure("threshold = 1; return treshold")?.message.contains("\"threshold\"") == true)
    #expect(state.failure("return _G.prin")?.message.contains("\"print\"") == true)
    #expect(try state.text("x = 4; return x, _G.x") == "4 4")
  }

  @Test func callerLocation() throws {
    let state = LuaState.forTests()
    var seen: [String] = []
    state.define("here") { arguments in
      let place = arguments.state.callerLocation()
      seen.append("\(place?.script ?? "?"):\(place?.line ?? 0)")
      return []
    }
    try state.run("here()\npcall(here)\nlocal function f()\n  here()\nend\nf()", name: "where.lua")
    #expect(seen == ["where.lua:1", "where.lua:2", "where.lua:4"])
    #expect(state.callerLocation() == nil)
  }
}
