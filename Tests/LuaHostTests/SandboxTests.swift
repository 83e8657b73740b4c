import Diagnostics
import Testing

@testable import LuaHost

@Suite struct SandboxTests {
  @Test func theGlobalsAreAllowListed() throws {
    let state = LuaState.forTests()
    let globals = try state.text(
      """
      local names = {}
      for _, n in ipairs{"_G","_VERSION","assert","collectgarbage","coroutine","debug","dofile","error","getmetatable",
          "io","ipairs","load","loadfile","loadstring","math","next","os","package","pairs","pcall","print","rawequal",
          "rawget","rawlen","rawset","require","select","setmetatable","string","table","tonumber","tostring","type",
          "utf8","warn","xpcall"} do
        if pcall(function() return _G[n] end) and _G[n] ~= nil then names[#names + 1] = n end
      end
      return table.concat(names, " ")
      """)
    #expect(
      globals == """
        _G _VERSION assert error getmetatable ipairs math next pairs pcall print select setmetatable string table \
        tonumber tostring type utf8 xpcall
        """)
    #expect(try state.text("return string.dump == nil, next(getmetatable('') and {} or {})") == "true nil")
  }

  @Test func bytecodeIsRefused() throws {
    #expect(LuaState.forTests().failure("\u{1B}Lua\u{54}\u{0}")?.message.contains("binary chunk") == true)
  }

  @Test(arguments: [
    "string.rep = nil", "math.pi = 3", "table.extra = 1", "utf8.x = 1", "table.insert(string, 1)",
    "table.sort(string, function() end) string.x = 1", "setmetatable(string, {})", "setmetatable(_G, {})",
    "table.move({1}, 1, 1, 1, math)", "getmetatable('').__index.rep = 1", "getmetatable(string).__index.rep = 1",
    "for k, v in pairs(string) do string[k] = 1 end", "local _, t = pairs(math) t.pi = 3",
    "local _, t = pairs(string) t.rep = print", "('x').y = 1", "_G.string.rep = 1",
  ])
  func librariesAreReadOnly(source: String) throws {
    let state = LuaState.forTests()
    #expect(state.failure(source) != nil)
    #expect(
      try state.text("return ('ab'):rep(2), math.pi > 3.14, #{table.unpack({1, 2})}, next({})") == "abab true 2 nil")
    #expect(
      try state.text("return ({pcall(function() return string.x end)})[2] == nil, table.extra == nil") == "true true")
  }

  @Test func assignmentToALibraryNamesIt() throws {
    #expect(
      LuaState.forTests().failure("string.trim = 1")?.message == "cannot assign 'trim': library 'string' is read-only")
  }

  @Test func librariesCanStillBeListed() throws {
    let state = LuaState.forTests()
    #expect(
      try state.text("local n = {} for k, v in pairs(table) do n[#n + 1] = k end return table.concat(n, ' ')")
        == "concat insert move pack remove sort unpack")
    #expect(try state.text("return next(utf8) ~= nil, #string") == "true 0")
  }

  @Test func chunksDoNotSeeEachOther() throws {
    let state = LuaState.forTests()
    try state.run("shared = 1; print = nil; string = {}", name: "a.lua")
    #expect(state.failure("return shared", name: "b.lua")?.message == "global variable \"shared\" is not defined")
    #expect(try state.text("return type(print), ('x'):upper()") == "function X")
    let together = state.makeEnvironment()
    _ = try state.load("shared = 2", name: "c.lua", environment: together).call()
    #expect(try state.load("return shared", name: "d.lua", environment: together).call()[0].integer == 2)
    #expect(together["shared"].integer == 2)
  }

  @Test func aFrozenEnvironment() throws {
    let state = LuaState.forTests()
    let environment = state.makeEnvironment()
    let source = """
      count = 0
      list = {}
      function bump() count = count + 1 end
      function fresh() other = 1 end
      function read() return count, _G.count, math.pi, list end
      function clear() _G.count = nil end
      function names() local n = 0 for k in pairs(_G) do n = n + 1 end return n end
      """
    _ = try state.load(source, name: "plugin.lua", environment: environment).call()
    environment.freeze("the module is loaded")
    for name in ["bump", "fresh", "clear"] {
      let error = #expect(throws: CompressError.self) { try environment[name].function?.call() }
      #expect(error?.message.hasSuffix("the module is loaded") == true)
      #expect(error?.script == "plugin.lua")
    }
    let read = try #require(try environment["read"].function?.call())
    #expect(read[0].integer == 0 && read[1].integer == 0)
    #expect(try environment["names"].function?.call()[0].integer == 8)
    #expect(environment.variables.keys.contains("count"))
    environment.freeze()  // again: no change
    #expect(environment["count"].integer == 0)
  }

  @Test func finalizersAreRefused() throws {
    let state = LuaState.forTests()
    #expect(
      state.failure("setmetatable({}, {__gc = function() while true do end end})")?.message.contains("__gc") == true)
    #expect(state.failure("setmetatable({}, {__gc = false})") != nil)
    // Added later it has no effect: Lua looks for it when the metatable is set.
    #expect(
      try state.text("local m = {} local t = setmetatable({}, m) m.__gc = function() end t = nil return 1") == "1")
    #expect(state.failure("local m = {} setmetatable({}, m) m.__gc = print setmetatable({}, m)") != nil)
    state.collectGarbage()
  }

  @Test func metatablesStayProtected() throws {
    let state = stateWithThings(Counter())
    #expect(
      try state.text("return getmetatable(''), getmetatable(_G), getmetatable(math), getmetatable(thing(1))")
        == "false false false false")
    #expect(state.failure("setmetatable(thing(1), {})") != nil)
    #expect(state.failure("thing(1).value = 2")?.message == "'value' of a Thing cannot be assigned")
    #expect(state.failure("thing(1)[{}] = 2")?.message == "'table' of a Thing cannot be assigned")
  }

  @Test func noAddressIsPrinted() throws {
    let state = stateWithThings(Counter())
    let source = """
      return tostring({}), tostring(print), tostring(function() end), string.format("%s|%p|%10s|%-8p|%p", {}, {}, print, {}, "x"),
        string.format("%s", setmetatable({}, {__name = "Mine"})), ("%s %p"):format(thing(3), thing(3)), tostring(math)
      """
    #expect(
      try state.text(source)
        == "table function function table|table|  function|table   |string Mine Thing 3 Thing table")
    #expect(
      try state.text("return string.format('%d %5.1f %s %% %q %x', 3, 2.25, nil, 'a', 255)") == "3   2.2 nil % \"a\" ff"
    )
    #expect(state.failure("string.format('%d', {})") != nil)
    #expect(state.failure("string.format('%s')") != nil)
    #expect(state.failure("string.format('%')") != nil)
    #expect(
      try state.text("return select(2, pcall(error, 'x', 0)), tostring(12), tostring(nil), tostring(1.5)")
        == "x 12 nil 1.5")
    #expect(state.failure("tostring(setmetatable({}, {__tostring = function() return {} end}))") != nil)
    #expect(state.failure("tostring()") != nil)
  }

  @Test func printJoinsItsArguments() throws {
    var lines: [String] = []
    let state = LuaState(seed: 1, random: { TestGenerator(state: $0) }, print: { lines.append($0) })
    try state.run("print('a', 1, nil, {}, true) print() print(('x'):rep(3))")
    #expect(lines == ["a\t1\tnil\ttable\ttrue", "", "xxx"])
  }

  @Test func randomNumbersDependOnTheSeedAlone() throws {
    let source =
      "return math.random(), math.random(10), math.random(-5, 5), math.random(0), math.random(math.mininteger, math.maxinteger)"
    #expect(try LuaState.forTests(seed: 5).text(source) == LuaState.forTests(seed: 5).text(source))
    #expect(try LuaState.forTests(seed: 5).text(source) != LuaState.forTests(seed: 6).text(source))
    let state = LuaState.forTests()
    #expect(
      try state.text("math.randomseed(4) local a = math.random(1000) math.randomseed(4) return a == math.random(1000)")
        == "true")
    #expect(state.failure("math.random(0.5)") != nil)
    #expect(state.failure("math.random(2, 1)")?.message == "math.random: nothing lies between 2 and 1")
    #expect(
      try state.text(
        """
        local low, high = 9, 0
        for i = 1, 1000 do
          local x = math.random(3, 6) low = math.min(low, x) high = math.max(high, x)
          local u = math.random() if u < 0 or u >= 1 then error("range") end
        end
        return low, high, math.random(7, 7)
        """) == "3 6 7")
  }

  @Test func pairsHaveAnOrder() throws {
    let state = stateWithThings(Counter())
    let source = """
      local a, b = thing(1), thing(2)
      local t = {[b] = 1, [a] = 1, z = 1, aa = 1, a = 1, [3] = 1, [-1] = 1, [0.5] = 1, [true] = 1, [false] = 1, [1] = 1}
      local names = {}
      for k in pairs(t) do names[#names + 1] = tostring(k) end
      return table.concat(names, " ")
      """
    #expect(try state.text(source) == "-1 0.5 1 3 a aa z false true Thing 1 Thing 2")
    #expect(
      try state.text(
        "local t, n = {a = 1, b = 2, c = 3}, 0 for k in pairs(t) do t[k] = nil n = n + 1 end return n, next(t)")
        == "3 nil")
    #expect(
      try state.text("local t, s = {a = 1, b = 2, c = 3}, '' for k in pairs(t) do t.b = nil s = s .. k end return s")
        == "ac")
    #expect(try state.text("local s = 0 for i, v in pairs({1, 2, 3, x = 4}) do s = s * 10 + v end return s") == "1234")
    #expect(state.failure("pairs()") != nil)
    #expect(state.failure("pairs(1)") != nil)
  }

  @Test func sharedStateOfFunctionsIsNotReachable() throws {
    // A function's metatable, and the iterator's upvalues, are out of reach without the debug library.
    #expect(try LuaState.forTests().text("return getmetatable(print), getmetatable(pairs({}))") == "nil nil")
  }
}

/// Functions of ours that scripts get hold of take nothing on trust, whoever calls them and with what.
@Suite struct ForgedArgumentTests {
  @Test(arguments: [
    "1094795585", "0", "-1", "0x7fffffffffff", "1.5", "'text'", "true", "print", "nil", "thing(1)", "math", "_G", "string",
    "setmetatable({}, {__index = function(t, k) return k end})", "setmetatable({}, {__pairs = print})",
  ])
  func anIteratorOfPairsTakesTablesOnly(forged: String) throws {
    let counter = Counter()
    let state = stateWithThings(counter)
    for table in ["{ 1, 2, a = 3 }", "{}", "_G", "math"] {
      _ = try state.run(
        """
        local iterator, t = pairs(\(table))
        for i = 1, 5 do pcall(iterator, \(forged)) pcall(iterator) pcall(iterator, \(forged), \(forged), t) end
        iterator(t)
        """)
    }
    #expect(state.failure("pairs({ 1 })(1094795585)")?.message.contains("table expected") == true)
  }
}

/// What older releases of Lua 5.4 do wrong, and cannot be made to do here.
@Suite struct LuaMistakeTests {
  /// Before 5.4.5 a stack that moves while a `__concat` metamethod runs is used where it was.
  @Test(arguments: [
    "local function deep(i) if i > 0 then return deep(i - 1) + 1 end return 0 end deep(n)",
    "local s = ('x'):rep(n) s:byte(1, math.min(n, 500000))",
    "table.unpack({}, 1, math.min(n, 500000))",
    "for i = 1, 20 do local t = {} for k = 1, n do t[k] = {} end end",
    "pcall(function() local function deep(i) return deep(i + 1) + 1 end return deep(1) end)",
  ])
  func aStackThatWouldMoveWhileValuesAreJoined(body: String) throws {
    let state = LuaState.forTests()
    let error = state.failure(
      """
      local n, t = 10
      t = setmetatable({}, { __concat = function() \(body) n = n * 2 return {} end })
      for i = 1, 14 do pcall(function() local a, b = 1, 2 return t .. " " .. t .. a .. t, b end) end
      """)
    #expect(error == nil || error?.kind == .limit, "\(String(describing: error))")
    #expect(try state.text("return 1 .. ' ' .. 2") == "1 2")
  }

  @Test func aStackOverflowIsALimit() throws {
    let state = LuaState.forTests()
    let error = try #require(state.failure("\nlocal function f() return f() + 1 end pcall(f)"))
    #expect(error.kind == .limit)
    #expect(error.message == "stack overflow")
    #expect(error.line == 2)
    #expect(try state.text("return 1") == "1")
  }
}
