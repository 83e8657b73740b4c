import Testing

@testable import LuaHost

/// What `print` shows of values.
@Suite struct PrintTests {
  private func printed(_ source: String) throws -> String {
    var lines: [String] = []
    let state = LuaState(
      limits: LuaLimits(), seed: 1, random: { TestGenerator(state: $0) }, print: { lines.append($0) })
    try state.run(source)
    return lines.joined(separator: "\n")
  }

  @Test(arguments: [
    ("print({1, 2, 3})", "{1, 2, 3}"), ("print({28, 28, 1}, 'x')", "{28, 28, 1}\tx"),
    ("print({{1, 2}, {'a', true}})", "{{1, 2}, {a, true}}"), ("print({})", "table"), ("print({a = 1})", "table"),
    ("print({{{{{{1}}}}}})", "{{{{{table}}}}}"),
    ("print(setmetatable({1}, {__tostring = function() return 'own' end}))", "own"),
    ("print(1, nil, 'b')", "1\tnil\tb"), ("print()", ""),
  ])
  func lists(source: String, text: String) throws { #expect(try printed(source) == text) }

  @Test func longListsEnd() throws {
    let text = try printed("local t = {} for i = 1, 1000 do t[i] = i end print(t)")
    #expect(text.hasPrefix("{1, 2, ") && text.hasSuffix("31, 32, ...}"))
    // One that holds itself.
    #expect(try printed("local t = {} t[1] = t print(t)") == "{{{{{table}}}}}")
    // Long elements outgrow the buffer that text is gathered in.
    let long = try printed("local s = string.rep('x', 5000) print({s, {s, s}}, s)")
    #expect(long.utf8.count == 4 * 5000 + 9)
  }

  @Test func whatIsNoMethodIsNamed() {
    let state = LuaState.forTests()
    let error = state.failure("local t = {rank = 2} return t:rank()")
    #expect(error?.hint?.contains("rank is a property") == true, "\(String(describing: error))")
    #expect(state.failure("local t = {} return t:rank()")?.hint == nil)
  }
}
