import CLuaBridge
import Diagnostics

/// Errors of host functions on their way through Lua, where they are strings that a script may catch, print or raise
/// again. When one comes out the other end it is found by its text, with kind, layer, file and hint as they were.
struct RaisedErrors {
  /// The one that no script can catch.
  var fatal: CompressError?
  private var recent: [(text: String, error: CompressError)] = []

  mutating func remember(_ error: CompressError) {
    let text = error.description
    guard text.utf8.count <= LuaState.longestMessage else { return }
    recent.removeAll { $0.text == text }
    if recent.count == 16 { recent.removeFirst() }
    recent.append((text, error))
  }

  func error(saying text: String) -> CompressError? { recent.last { $0.text == text }?.error }
}

extension CompressError {
  init(wrapping error: any Error) {
    switch error {
    case let error as CompressError: self = error
    case is CancellationError: self.init("cancelled", kind: .cancelled)
    default: self.init("\(error)")
    }
  }

  /// Adds where Lua was, when that is known.
  fileprivate func at(_ outcome: clua_outcome) -> CompressError {
    let source = withUnsafeBytes(of: outcome.source) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return source.isEmpty ? self : at(script: source, line: outcome.line > 0 ? Int(outcome.line) : nil)
  }
}

extension LuaState {
  /// Makes the error of a call that failed; its message is on top of the stack.
  func error(from outcome: clua_outcome, instructions: Int) -> CompressError {
    let error: CompressError
    switch outcome.stop {
    case CLUA_STOP_INSTRUCTIONS:
      error = CompressError(
        "used up its budget of \(instructions) Lua instructions", kind: .limit,
        hint: "is there a loop that never ends?")
    case CLUA_STOP_MEMORY: error = memoryError()
    case CLUA_STOP_TIME:
      error = CompressError(
        "took more than \(limits.seconds) s of the script's own time", kind: .limit,
        hint: "what the engine works for it does not count; --lua-seconds S allows more")
    case CLUA_STOP_GROWTH:
      error = CompressError(
        "made the process grow by more than \(limits.growthBytes) bytes", kind: .limit,
        hint: "--lua-memory and --tensor-memory allow more")
    case CLUA_STOP_STACK:
      error = CompressError("stack overflow", kind: .limit, hint: "is there a call that never ends?")
    case CLUA_STOP_CANCELLED: error = CompressError("cancelled", kind: .cancelled)
    case CLUA_STOP_HOST: return raised.fatal ?? located(popText())
    default: error = outcome.status == LUA_ERRMEM ? memoryError() : located(popText())
    }
    return error.at(outcome)
  }

  func memoryError() -> CompressError {
    CompressError("needs more than the \(limits.memoryBytes) bytes of memory Lua may hold", kind: .limit)
  }

  /// Turns Lua's "script.lua:12: message" into an error with script and line.
  func located(_ text: String) -> CompressError {
    var rest = text[...]
    var place: (script: String, line: Int)?
    // An error that passed through several calls has a place for each; more of them are a script's own text.
    for _ in 0..<8 {
      if let error = raised.error(saying: String(rest)) { return error }
      guard let found = prefix(of: rest) else { break }
      place = (found.script, found.line)
      rest = found.rest
    }
    let error = CompressError(rest.isEmpty ? "error" : String(rest), hint: Self.hint(for: rest))
    return place.map { error.at(script: $0.script, line: $0.line) } ?? error
  }

  /// What Lua cannot know of what it could not call.
  private static func hint(for text: Substring) -> String? {
    guard let match = text.wholeMatch(of: #/attempt to call an? (?<type>\w+) value \(method '(?<name>\w+)'\)/#),
      match.type != "nil"
    else { return nil }
    return "\(match.name) is a property, not a method: write .\(match.name), without parentheses"
  }

  private func prefix(of text: Substring) -> (script: String, line: Int, rest: Substring)? {
    for (name, chunk) in chunks {
      for shown in [name, chunk.shortName] where text.hasPrefix(shown + ":") {
        let behind = text.dropFirst(shown.count + 1)
        let digits = behind.prefix { $0.isASCII && $0.isNumber }
        guard let line = Int(digits), behind.dropFirst(digits.count).hasPrefix(": ") else { continue }
        return (name, line, behind.dropFirst(digits.count + 2))
      }
    }
    return nil
  }
}
