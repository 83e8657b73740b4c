import Diagnostics
import Testing

@testable import LuaHost

/// The library functions that are our own, against the manual of Lua 5.4.
@Suite struct LibraryTests {
  @Test(arguments: [
    ("('hello world'):find('o w')", "5 7"),
    ("('hello'):find('l+')", "3 4"),
    ("('hello'):find('')", "1 0"),
    ("('hello'):find('', 10)", "nil"),
    ("('hello'):find('', 6)", "6 5"),
    ("('hello'):find('l', -2)", "4 4"),
    ("('a.b'):find('.', 1, true)", "2 2"),
    ("('a.b'):find('%.')", "2 2"),
    ("('key = value'):match('(%w+)%s*=%s*(%w+)')", "key value"),
    ("('  trim  '):match('^%s*(.-)%s*$')", "trim"),
    ("('2024-05-06'):match('(%d+)-(%d+)-(%d+)')", "2024 05 06"),
    ("('abc'):match('()b()')", "2 3"),
    ("('f(a(b)c)d'):match('%b()')", "(a(b)c)"),
    ("('THE (quick) fox'):find('%f[%a]%a+%f[%A]', 5)", "6 10"),
    ("('THE (quick) fox'):find('%((%a+)%)')", "5 11 quick"),
    ("('\"a\" b'):match('([\"\\'])(.-)%1')", "\" a"),
    ("('x]y'):match('[]]')", "]"),
    ("('x-y'):match('[a-]')", "-"),
    ("('x-y'):match('[%a-]+')", "x-y"),
    ("('abc123'):match('[^%d]+')", "abc"),
    ("('a^b'):match('[b^]')", "^"),
    ("('a$'):match('a$$')", "a$"),
    ("('abc'):match('^b')", "nil"),
    ("('aaa'):match('a-$')", "aaa"),
    ("('aXb'):match('a%ub')", "aXb"),
    ("('ab'):match('a?b?c?$')", "ab"),
    ("('a\\0b'):match('a%zb') == nil, ('a\\0b'):find('\\0')", "true 2 2"),
    ("('a\\0b'):match('[\\0]b') ~= nil", "true"),
    ("('hello'):gsub('l', 'L')", "heLLo 2"),
    ("('hello'):gsub('', '-')", "-h-e-l-l-o- 6"),
    ("('hello'):gsub('l', 'L', 1)", "heLlo 1"),
    ("('hello'):gsub('^h', '%0%0')", "hhello 1"),
    ("('abc'):gsub('%w', '%%%0')", "%a%b%c 3"),
    ("('hello world'):gsub('(%w+) (%w+)', '%2 %1')", "world hello 1"),
    ("('$name is $age'):gsub('%$(%w+)', {name = 'x', age = 4})", "x is 4 2"),
    ("('abc'):gsub('%w', function(c) if c == 'b' then return false end return c:upper() end)", "AbC 3"),
    ("('abc'):gsub('b*', 'x')", "xaxcx 3"),
    ("('abc'):gsub('x', 'y', -1)", "abc 0"),
    ("('abc'):gsub('.', 7)", "777 3"),
    ("('abc'):gsub('()', '%1')", "1a2b3c4 4"),
    (
      "(function() local r = {} for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do r[#r+1] = k .. v end return table.concat(r, ' ') end)()",
      "a1 b2"
    ),
    ("(function() local r = {} for w in ('one two'):gmatch('%a+') do r[#r+1] = w end return #r, r[2] end)()", "2 two"),
    ("(function() local n = 0 for _ in ('abc'):gmatch('') do n = n + 1 end return n end)()", "4"),
    ("(function() local r = '' for c in ('^a^b'):gmatch('^%a') do r = r .. c end return r end)()", "^a^b"),
    ("(function() local r = '' for c in ('abcdef'):gmatch('%a', 4) do r = r .. c end return r end)()", "def"),
    ("(function() local r = '' for c in ('abcdef'):gmatch('%a', -2) do r = r .. c end return r end)()", "ef"),
  ])
  func patterns(expression: String, expected: String) throws {
    #expect(try LuaState.forTests().text("return " + expression) == expected, "\(expression)")
  }

  @Test(arguments: [
    ("('a'):find('[a')", "missing ']'"), ("('a'):find('[]')", "missing ']'"), ("('a'):find('[%')", "ends with '%'"),
    ("('a'):find('%')", "ends with '%'"), ("('a'):find('(a')", "unfinished capture"),
    ("('a'):match('a)')", "invalid pattern capture"),
    ("('a'):find('%b')", "missing arguments"), ("('a'):find('%f')", "missing '['"),
    ("('a'):find('%1')", "invalid capture index"),
    ("('a'):find('(a%1)')", "invalid capture index"), ("('a'):find(('()'):rep(33))", "too many captures"),
    ("('a'):gsub('a', '%2')", "invalid capture index"), ("('a'):gsub('a', '%x')", "replacement string"),
    ("('a'):gsub('a', '%')", "replacement string"),
    ("('a'):gsub('a', function() return {} end)", "invalid replacement value"),
    ("('a'):gsub('a')", "string/function/table"), ("('a'):rep(300):match(('a?'):rep(300))", "too complex"),
    ("table.concat({{}})", "element 1"), ("table.insert({}, 5, 1)", "out of bounds"),
    ("table.insert({})", "wrong number"),
    ("table.remove({1, 2}, 5)", "out of bounds"), ("table.unpack({}, 1, 1e8)", "too many results"),
    ("table.unpack({}, math.mininteger, math.maxinteger)", "too many results"),
    ("table.move({}, 1, 2, math.maxinteger)", "wrap around"),
    ("table.move({}, 0, math.maxinteger, 1)", "too many elements"),
    ("table.sort({1, 'a'})", "attempt to compare"), ("table.sort({1}, 1)", "function expected"),
    ("table.sort(1)", "table expected"),
  ])
  func errors(expression: String, expected: String) throws {
    let error = try #require(LuaState.forTests().failure("return " + expression), "\(expression)")
    #expect(error.message.contains(expected), "\(expression): \(error.message)")
    #expect(error.line == 1)
  }

  @Test(arguments: [
    ("local t = {1, 2} table.insert(t, 3) table.insert(t, 1, 0) return t", "{0,1,2,3}"),
    ("local t = {1, 2, 3} local x = table.remove(t, 1) return x, table.remove(t), t", "1 3 {2}"),
    ("return table.remove({}), table.remove({}, 0), table.remove({}, nil)", "nil nil nil"),
    ("local t = {1, 2, 3} return table.remove(t, 4), #t", "nil 3"),
    ("return table.move({1, 2, 3}, 1, 3, 2)", "{1,1,2,3}"),
    ("return table.move({1, 2, 3}, 2, 3, 1)", "{2,3,3}"),
    ("return table.move({1, 2, 3}, 1, 3, 1, {})", "{1,2,3}"),
    ("return table.move({1, 2, 3}, 1, 0, 1, {})", "{}"),
    (
      "return table.concat({1, 2.5, 'x'}, ', '), table.concat({}, 'x'), table.concat({1, 2, 3}, '-', 2), table.concat({1}, '', 2, 1)",
      "1, 2.5, x  2-3 "
    ),
    ("return table.concat({[math.maxinteger] = 'end'}, '', math.maxinteger, math.maxinteger)", "end"),
    ("return table.unpack({1, 2, 3}, 2)", "2 3"), ("return table.unpack({1, 2}, -1, 1)", "nil nil 1"),
    ("return table.pack(1, nil, 3).n, table.pack().n", "3 0"),
    ("local t = {3, 1, 2} table.sort(t) return t", "{1,2,3}"),
    ("local t = {3, 1, 2, 5, 4} table.sort(t, function(a, b) return a > b end) return t", "{5,4,3,2,1}"),
    ("local t = {'b', 'a', 'c'} table.sort(t) return table.concat(t)", "abc"),
    ("local t = {} table.sort(t) return #t", "0"),
    (
      "local t = {} for i = 1, 1000 do t[i] = (i * 7919) % 1009 end table.sort(t) for i = 2, 1000 do if t[i - 1] > t[i] then return 'no' end end return 'sorted'",
      "sorted"
    ),
    (
      "local t = {} for i = 1, 100 do t[i] = {k = i % 3, i = i} end table.sort(t, function(a, b) return a.k < b.k end) for i = 2, 100 do local a, b = t[i - 1], t[i] if a.k > b.k or (a.k == b.k and a.i > b.i) then return 'no' end end return 'stable'",
      "stable"
    ),
    ("local t = {1, 2, 3} table.sort(t, function() return true end) return #t", "3"),
    ("return select('#', pcall(pcall)), pcall(pcall)", "2 false bad argument #1 to '?' (value expected)"),
    ("return xpcall(function(a, b) return a + b end, print, 1, 2)", "true 3"),
    ("return xpcall(error, function(m) return m .. '!' end, 'x', 0)", "false x!"),
    ("return utf8.char(228, 8364), utf8.len('ä€'), #utf8.charpattern", "ä€ 2 14"),
  ])
  func tablesAndTheRest(source: String, expected: String) throws {
    #expect(try LuaState.forTests().text(source) == expected, "\(source)")
  }

  /// Whatever the arguments, each library function returns or raises, within its budget, and the state goes on.
  @Test func everyFunctionSurvivesEveryArgument() throws {
    let state = stateWithThings(Counter(), limits: LuaLimits(memoryBytes: 16 << 20, seconds: 0))
    let source = """
      local functions, values = {}, {
        0, 1, -1, 2.5, 1e308, 0 / 0, math.huge, -math.huge, math.maxinteger, math.mininteger, "", "abc", "%s%d%p", "[%a]*",
        ("a"):rep(1000), "%b()(.-)%1", true, false, {}, {1, 2, 3}, {"x", "y"}, print, function(...) return ... end,
        function() error("thrown") end, thing(3), setmetatable({}, {__len = function() return 1 << 50 end}),
        setmetatable({}, {__index = function(_, k) return k end, __len = function() return -1 end}),
        setmetatable({}, {__len = function() return "x" end, __tostring = function() return "odd" end}), string, _G,
      }
      local libraries = {[""] = {assert = assert, error = error, getmetatable = getmetatable, ipairs = ipairs, next = next,
        pairs = pairs, pcall = pcall, select = select, setmetatable = setmetatable, tonumber = tonumber,
        tostring = tostring, type = type, xpcall = xpcall}, string = string, table = table, math = math, utf8 = utf8}
      for name, library in pairs(libraries) do
        for member, f in pairs(library) do
          if type(f) == "function" then functions[#functions + 1] = {name .. "." .. member, f} end
        end
      end
      return functions, values
      """
    let parts = try state.run(source)
    let call = try #require(try state.run("return function(f, ...) return (pcall(f, ...)) end")[0].function)
    let functions = try #require(parts[0].table).array.compactMap(\.table)
    let count = 31
    #expect(functions.count > 60)
    var generator = TestGenerator(state: 42)
    let values = try #require(parts[1].table)
    for function in functions {
      for _ in 0..<120 {
        var arguments = [function[2]]
        for _ in 0..<Int(generator.next() % 5) { arguments.append(values[Int(generator.next() % UInt64(count)) + 1]) }
        do {
          let results = try state.call(call, arguments, instructions: 200_000)
          #expect(results.count == 1)
        } catch let error as CompressError {
          #expect(error.kind == .limit, "\(function[1]): \(error)")
        }
      }
    }
    #expect(try state.text("return ('ab'):rep(2), table.concat({1, 2}), math.pi > 3") == "abab 12 true")
  }
}
