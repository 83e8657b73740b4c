import Testing

@testable import LuaHost

@Suite struct FingerprintTests {
  private func fingerprint(_ source: String, name: String = "f.lua") throws -> LuaFingerprint? {
    let state = LuaState.forTests()
    return try withExtendedLifetime(state) { try state.run(source, name: name)[0].function?.fingerprint() }
  }

  @Test func equalFunctionsHaveEqualFingerprints() throws {
    let source = "local k = {1, 2, a = 'x'}\nreturn function(x)\n  return x * k[1]\nend"
    let print = try #require(try fingerprint(source))
    #expect(print == (try fingerprint(source)))
    #expect(print.source == "return function(x)\n  return x * k[1]\nend")
    #expect(
      print.values == [
        .init(name: "k", value: .data(.table(array: [.integer(1), .integer(2)], fields: ["a": .string("x")])))
      ])
    #expect(
      print
        == (try fingerprint(
          "local k = {1, 2, a = 'x'}\nreturn function(x)\n  return x * k[1]\nend\n\n-- other", name: "g.lua")))
  }

  @Test(arguments: [
    ("local k = 1 return function(x) return x * k end", "local k = 2 return function(x) return x * k end"),
    ("return function(x) return x end", "return function(x) return -x end"),
    (
      "local a, b = function(x) return x end, function(x) return -x end return a",
      "local a, b = function(x) return x end, function(x) return -x end return b"
    ),
    ("limit = 1\nreturn function(x) return x > limit end", "limit = 2\nreturn function(x) return x > limit end"),
    (
      "local function h() return 1 end\nreturn function() return h() end",
      "local function h() return 2 end\nreturn function() return h() end"
    ),
    (
      "function h() return 1 end\nreturn function() return h() end",
      "function h() return 2 end\nreturn function() return h() end"
    ),
    (
      "local f = math.floor\nreturn function(x) return f(x) end",
      "local f = math.ceil\nreturn function(x) return f(x) end"
    ),
  ])
  func differentOnesDiffer(a: String, b: String) throws {
    let a = try #require(try fingerprint(a))
    let b = try #require(try fingerprint(b))
    #expect(a != b)
  }

  @Test func recursionAndLibrariesAreDescribed() throws {
    #expect(try fingerprint("local function f(n) return n == 0 and 1 or n * f(n - 1) end return f") != nil)
    #expect(
      try fingerprint("local m = math return function(x) return m.floor(x) end")?.values == [
        .init(name: "m", value: .shared("math"))
      ])
    #expect(try fingerprint("local p = print return p") == nil)
  }

  @Test(arguments: [
    "local t = setmetatable({}, {}) return function() return t.x end",
    "local t = {print} t.t = t return function() return t end",
    "return function() return _G.x end",
    "local g = ('x'):gmatch('x') return function() return g() end",
    "return print",
  ])
  func whatCannotBeDescribedHasNone(source: String) throws {
    #expect(try fingerprint(source) == nil)
  }

  @Test func whatManyFunctionsShareIsDescribedOnce() throws {
    // Each names the one before twice: 2^15 paths to the first.
    var source = "local f0 = function() return 1 end\n"
    for i in 1...14 { source += "local f\(i) = function() return f\(i - 1)() + f\(i - 1)() end\n" }
    source += "return function() return f14(), f13(), f12() end"
    let print = try #require(try fingerprint(source))
    #expect(print == (try fingerprint(source)))
    #expect(print != (try fingerprint(source.replacing("return 1 end", with: "return 2 end"))))
    let shared = "local t = {} for i = 1, 1e5 do t[i] = i end local fs = {}\n"
      + (1...40).map { "local function g\($0)() return t end" }.joined(separator: "\n") + "\nreturn function() return "
      + (1...40).map { "g\($0)()" }.joined(separator: " + ") + " end"
    #expect(try fingerprint(shared) != nil)
  }
}
