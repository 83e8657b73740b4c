import Diagnostics
import Testing

@testable import LuaHost

@Suite struct FrozenModuleTests {
  private func load(_ source: String, in state: LuaState) throws -> (FrozenModule, LuaTable) {
    let environment = state.makeEnvironment()
    let results = try state.load(source, name: "plugin.lua", environment: environment).call()
    let module = try FrozenModule(environment, results: results, name: "plugin.lua")
    return (module, try #require(results[0].table))
  }

  @Test func whatAPluginKeepsIsConstant() throws {
    let state = LuaState.forTests()
    let (module, plugin) = try load(
      """
      local cache, count, unused = {inner = {}}, 0, 0 / 0
      local function helper() count = count + 1 return count end
      total = 0
      return {
        options = {a = {b = 1}},
        read = function() return cache.inner, count, total, unused end,
        write = function() cache.x = 1 end,
        deep = function() cache.inner.x = 1 end,
        global = function() total = 1 end,
        own = function(t) t.x = 1 local u = {} u.x = 1 return u end,
        count = function() return helper() end,
      }
      """, in: state)
    try module.check()
    for name in ["write", "deep", "global"] {
      let error = #expect(throws: CompressError.self) { try plugin[name].function?.call() }
      #expect(error?.message.hasSuffix("what plugin.lua keeps is frozen after loading") == true)
    }
    #expect(throws: CompressError.self) { try plugin["own"].function?.call(.table(plugin)) }
    try plugin["own"].function?.call(.table(try state.makeTable()))
    try plugin["read"].function?.call()
    try module.check()
    #expect(try plugin["count"].function?.call()[0].integer == 1)
    let error = #expect(throws: CompressError.self) { try module.check() }
    #expect(error?.message == "the module-level variable \"count\" of plugin.lua was changed after loading")
    #expect(plugin["options"].table?["a"].table?["b"].integer == 1)
    #expect(plugin.keys == ["count", "deep", "global", "options", "own", "read", "write"])
  }

  @Test func tablesThatContainThemselvesAndClassesAreNoTrouble() throws {
    let state = LuaState.forTests()
    let (module, plugin) = try load(
      """
      local class = {} class.__index = class
      function class:bump() self.n = self.n + 1 return self.n end
      local self = {list = {1, 2, 3}} self.me = self
      return {self = self, make = function() return setmetatable({n = 0}, class):bump() end,
        sum = function() local s = 0 for _, x in ipairs(self.list) do s = s + x end return s, #self.list end,
        m = math, s = string}
      """, in: state)
    #expect(try plugin["make"].function?.call()[0].integer == 1)
    #expect(try plugin["sum"].function?.call().map(\.integer) == [6, 3])
    #expect(try state.text("return math.floor(2.5), ('x'):rep(2)") == "2 xx")
    try module.check()
  }
}
