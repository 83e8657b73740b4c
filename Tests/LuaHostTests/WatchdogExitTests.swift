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
        _ = try? state.run("return function(f) f() end", name: "st\u{1B}uck.lua")[0].function?.call(stuck)
      }
      let text = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
      #expect(text.contains("compress: st\\x1Buck.lua:1: took more than 0.05 s of the script's own time and does not stop; ended\n"))
    }
  }
#endif
