#if compiler(>=6.2)
  import CLuaBridge
  import Testing

  @testable import LuaHost

  @Suite struct WatchdogExitTests {
    @Test func aLibraryFunctionThatNeverReturnsEndsTheProcess() async {
      let result = await #expect(processExitsWith: .exitCode(4), observing: [\.standardErrorContent]) {
        let state = LuaState.forTests(LuaLimits(seconds: 0.05))
        lua_pushcclosure(state.L, { _ in while true {} }, 0)
        let stuck = state.popValue()
        _ = try? state.run("return function(f) f() end", name: "stuck.lua")[0].function?.call(stuck)
      }
      let text = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
      #expect(text.contains("compress: stuck.lua:1: spent more than 0.05 s inside Lua without returning; ended\n"))
    }
  }
#endif
