import CLuaBridge
import Diagnostics

/// A Swift closure that Lua owns.
final class HostFunction {
  let name: String
  let body: LuaState.Body

  init(_ name: String, _ body: @escaping LuaState.Body) {
    self.name = name
    self.body = body
  }
}

/// Called by C between two instructions of a script that lasts.
func tellLasting(
  context: UnsafeMutableRawPointer?, source: UnsafePointer<CChar>?, line: Int32, seconds: Double
) {
  guard let context, let source else { return }
  Unmanaged<LuaState>.fromOpaque(context).takeUnretainedValue()
    .lasts(LuaState.Lasting(script: String(cString: source), line: Int(line), seconds: seconds))
}

/// Called by the C trampoline with the arguments on the stack. Never raises: returns the number of results, or an
/// error code with the message on top of the stack.
func runHostFunction(
  context: UnsafeMutableRawPointer?, L: OpaquePointer?, box: UnsafeMutableRawPointer?
) -> Int32 {
  guard let context, let box else { return 0 }
  let state = Unmanaged<LuaState>.fromOpaque(context).takeUnretainedValue()
  let function = Unmanaged<HostFunction>.fromOpaque(box).takeUnretainedValue()
  return state.run(function)
}

/// Called by Lua's collector, once for each box.
func releaseBox(_ box: UnsafeMutableRawPointer?) {
  if let box { Unmanaged<AnyObject>.fromOpaque(box).release() }
}

extension LuaState {
  fileprivate func run(_ function: HostFunction) -> Int32 {
    giveBackReferences()
    do {
      let count = lua_gettop(L)
      try reserveStack(4)
      let arguments = LuaArguments(
        state: self, function: function.name, values: (0..<count).map { value(at: $0 + 1) })
      let results = try function.body(arguments)
      // An operation that was told to stop returns early with whatever it has: nobody is to see that.
      try Cancellation.current?.check()
      try reserveStack(results.count)
      for result in results { try push(result) }
      return Int32(results.count)
    } catch {
      return raise(error)
    }
  }

  private func raise(_ error: any Error) -> Int32 {
    lua_settop(L, 0)
    var error = CompressError(wrapping: error)
    if let place = callerLocation() { error = error.at(script: place.script, line: place.line) }
    push(error.description.shortened(to: Self.longestMessage))
    switch error.kind {
    case .limit, .cancelled:
      raised.fatal = error
      return CLUA_FATAL
    case .usage, .input, .system:
      raised.remember(error)
      return CLUA_ERROR
    }
  }
}
