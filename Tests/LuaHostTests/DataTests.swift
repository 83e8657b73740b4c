import Diagnostics
import Testing

@testable import LuaHost

@Suite struct DataTests {
  @Test func tablesReadInOrder() throws {
    let state = LuaState.forTests()
    let table = try #require(
      try state.run("return {10, 20, z = 1, b = 2, [2.5] = 3, ['1'] = 4, [-1] = 5, [true] = 6}")[0].table)
    #expect(table.count == 2)
    #expect(table.array.map(\.integer) == [10, 20])
    #expect(table.keys == ["1", "b", "z"])
    #expect(table.pairs.map { state.describe($0.key) } == ["-1", "1", "2", "2.5", "\"1\"", "\"b\"", "\"z\"", "true"])
    #expect(table["z"].integer == 1)
    #expect(table["missing"].isNil)
    #expect(table[2].integer == 20)
    #expect(table.numbers == [10, 20])
    #expect(try state.run("return {1, 'x'}")[0].table?.numbers == nil)
  }

  @Test func tablesAreWritten() throws {
    let state = LuaState.forTests()
    let table = try state.makeTable([1, "two"], fields: ["x": 2.5, "y": true])
    try table.append(.table(try state.makeTable()))
    try table.set("y", nil)
    try state.define("t", value: .table(table))
    #expect(try state.text("return #t, t[2], t.x, t.y, type(t[3])") == "3 two 2.5 nil table")
  }

  @Test func readingRunsNoScript() throws {
    let state = LuaState.forTests()
    let table = try #require(
      try state.run(
        "return setmetatable({}, {__index = function() error('ran') end, __len = function() error('ran') end})")[0]
        .table)
    #expect(table["x"].isNil)
    #expect(table.count == 0)
    #expect(table.hasMetatable)
  }

  @Test func plainDataIsCopiedThereAndBack() throws {
    let state = LuaState.forTests()
    let value = try state.run("return {1, 2.5, 'x', {true, deep = {a = {}}}, name = 'n', n = 3}")[0]
    let data = try state.data(of: value)
    #expect(
      data
        == .table(
          array: [
            .integer(1), .number(2.5), .string("x"),
            .table(
              array: [.bool(true)], fields: ["deep": .table(array: [], fields: ["a": .table(array: [], fields: [:])])]),
          ], fields: ["name": .string("n"), "n": .integer(3)]))
    #expect(try state.data(of: state.value(of: data)) == data)
  }

  @Test func whatIsNotPlainIsNamed() throws {
    let state = LuaState.forTests()
    func message(_ source: String) throws -> String? {
      let value = try state.run(source)[0]
      return #expect(throws: CompressError.self) { try state.data(of: value, named: "options", count: 1000) }?.message
    }
    #expect(try message("return {a = {print}}") == "options.a[1] must be plain data, got a function")
    #expect(try message("local t = {} t.x = {t} return t") == "options.x[1]: the table contains itself")
    #expect(try message("return {1, nil, 3}")?.contains("3 is neither a name nor the next position") == true)
    #expect(try message("return {[1.5] = 1}")?.contains("1.5 is neither") == true)
    #expect(
      try message("local t = {} for i = 1, 2000 do t[i] = i end return t")?.contains("more than 1000 values") == true)
    #expect(try message("local t = {} for i = 1, 100 do t = {t} end return t")?.contains("nested too deeply") == true)
    #expect(
      try message("local t = {} for i = 1, 20 do t = {t, t} end return t")?.contains("more than 1000 values") == true)
  }

  @Test func stringsAreBytesRepaired() throws {
    let state = LuaState.forTests()
    #expect(
      try state.run("return 'a\\xFFb', 'ä\\0€', '\\xE4\\xB8'").map(\.string) == ["a\u{FFFD}b", "ä\0€", "\u{FFFD}"])
    state.define("echo") { [$0[0]] }
    #expect(try state.text("return echo('ä\\0€') == 'ä\\0€', #echo('')") == "true 0")
    #expect(try state.run("").isEmpty)
    #expect(try state.text("#!/usr/bin/env compress\nreturn 1") == "1")
    #expect(try state.text("\u{FEFF}return 1") == "1")
  }

  @Test func manyResultsAndArguments() throws {
    let state = LuaState.forTests()
    #expect(try state.run("local t = {} for i = 1, 5000 do t[i] = i end return table.unpack(t)").count == 5000)
    state.define("spread") { _ in (0..<5000).map { .integer($0) } }
    state.define("count") { [.integer($0.count)] }
    #expect(try state.text("return select('#', spread()), count(spread())") == "5000 5000")
    let function = try #require(try state.run("return function(...) return select('#', ...) end")[0].function)
    #expect(try state.call(function, (0..<5000).map { .integer($0) })[0].integer == 5000)
    state.define("flood") { _ in Array(repeating: .nil, count: 2_000_000) }
    #expect(state.failure("flood()")?.kind == .limit)
  }

  @Test func deepNestingOfHostAndLuaIsAnError() throws {
    let state = LuaState.forTests()
    state.define("again") { arguments in try arguments.function(0).call(arguments[0]) }
    #expect(state.failure("local function f(g) return again(g) end f(f)") != nil)
    #expect(try state.text("return 1") == "1")
  }
}
