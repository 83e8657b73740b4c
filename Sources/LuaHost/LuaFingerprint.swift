import CLuaBridge

/// What decides a Lua function's result, apart from its arguments: its code, and the values around it. For cache keys.
public struct LuaFingerprint: Hashable, Sendable {
  /// The lines of the chunk the function stands in.
  public var source: String
  /// Its compiled code without positions: tells functions on one line apart.
  public var code: [UInt8]
  /// The local variables around it, and the global variables of the script it names, in order.
  public var values: [Variable]

  public struct Variable: Hashable, Sendable {
    public var name: String
    public var value: Value
  }

  public indirect enum Value: Hashable, Sendable {
    case data(LuaData)
    case function(LuaFingerprint)
    /// A function or table among the globals every script has.
    case shared(String)
    /// A function that is being described already.
    case recursion(depth: Int)
    /// A function or table that was described before: the how-manieth of them.
    case seen(Int)
  }
}

extension LuaFunction {
  /// The function's fingerprint, or nil when it depends on what has none: a host object, say, or a host function that
  /// is no global.
  public func fingerprint() -> LuaFingerprint? {
    guard let state = reference.state else { return nil }
    var reader = FingerprintReader(state: state)
    return reader.fingerprint(of: self)
  }

  /// The chunk's lines that the function takes up.
  public var sourceText: String? {
    guard let location, let chunk = reference.state?.chunks[location.script] else { return nil }
    let lines = chunk.source.split(separator: "\n", omittingEmptySubsequences: false)
    let first = min(location.lines.lowerBound - 1, lines.count)
    let last = min(location.lines.upperBound, lines.count)
    return lines[first..<last].joined(separator: "\n")
  }
}

private struct FingerprintReader {
  let state: LuaState
  private var open: [UnsafeRawPointer] = []
  /// What was described already, and when: what many functions share is described once, however they nest.
  private var described: [UnsafeRawPointer: Int] = [:]
  /// Values and bytes of code that a fingerprint may hold.
  private var valuesLeft = 1_000_000
  private var bytesLeft = 1 << 20
  private let shared: [UnsafeRawPointer: String]
  private static let deepest = 16

  init(state: LuaState) {
    self.state = state
    shared = Self.sharedGlobals(of: state)
  }

  /// The names of the functions and tables among the globals, by their address.
  private static func sharedGlobals(of state: LuaState) -> [UnsafeRawPointer: String] {
    clua_push_globals(state.L)
    guard let globals = state.popValue().table else { return [:] }
    var names: [UnsafeRawPointer: String] = [:]
    for (key, value) in globals.pairs {
      guard let name = key.string else { continue }
      if let identity = value.identity(in: state) { names[identity] = name }
      for (key, member) in value.table?.pairs ?? [] {
        guard let member = member.function.flatMap({ LuaValue.function($0).identity(in: state) }) else { continue }
        if let memberName = key.string { names[member] = "\(name).\(memberName)" }
      }
    }
    return names
  }

  mutating func fingerprint(of function: LuaFunction) -> LuaFingerprint? {
    guard let identity = LuaValue.function(function).identity(in: state), open.count < Self.deepest,
      let source = function.sourceText, let code = code(of: function)
    else { return nil }
    bytesLeft -= source.utf8.count + code.count
    guard bytesLeft >= 0 else { return nil }
    open.append(identity)
    defer { open.removeLast() }
    var values: [LuaFingerprint.Variable] = []
    for (name, value) in upvalues(of: function) {
      if name == "_ENV" {
        guard let globals = globals(in: value, namedIn: source) else { return nil }
        values += globals
      } else {
        guard let value = describe(value) else { return nil }
        values.append(.init(name: name, value: value))
      }
    }
    return LuaFingerprint(source: source, code: code, values: values)
  }

  private mutating func describe(_ value: LuaValue) -> LuaFingerprint.Value? {
    if let identity = value.identity(in: state) {
      if let name = shared[identity] { return .shared(name) }
      if let depth = open.firstIndex(of: identity) { return .recursion(depth: depth) }
      if let number = described[identity] { return .seen(number) }
      described[identity] = described.count
    }
    if case .function(let function) = value { return fingerprint(of: function).map { .function($0) } }
    return (try? state.data(of: value, left: &valuesLeft, metatables: false)).map { .data($0) }
  }

  /// The script's own global variables that the source may read: those whose name is a word of it.
  private mutating func globals(in environment: LuaValue, namedIn source: String) -> [LuaFingerprint.Variable]? {
    let words = Set(
      source.split { !($0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber)) }.map(String.init))
    if words.contains("_G") || words.contains("_ENV") { return nil }
    var result: [LuaFingerprint.Variable] = []
    for (key, value) in environment.table?.pairs ?? [] {
      guard let name = key.string, words.contains(name) else { continue }
      guard let value = describe(value) else { return nil }
      result.append(.init(name: name, value: value))
    }
    return result
  }

  private func upvalues(of function: LuaFunction) -> [(name: String, value: LuaValue)] {
    guard (try? state.reserveStack(4)) != nil, (try? function.push(on: state)) != nil else { return [] }
    defer { clua_pop(state.L, 1) }
    return (1...max(1, clua_inspect(state.L, -1).upvalues)).compactMap { index in
      guard let name = lua_getupvalue(state.L, -1, index) else { return nil }
      return (String(cString: name), state.popValue())
    }
  }

  private func code(of function: LuaFunction) -> [UInt8]? {
    guard (try? state.reserveStack(4)) != nil, (try? function.push(on: state)) != nil else { return nil }
    defer { clua_pop(state.L, 1) }
    var length = 0
    guard let bytes = clua_dump(state.L, -1, &length) else { return nil }
    defer { clua_free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: length))
  }
}

extension LuaValue {
  /// The address of a table or function while it lives; nil for others.
  fileprivate func identity(in state: LuaState) -> UnsafeRawPointer? {
    switch self {
    case .table(let table): return table.identity
    case .function(let function):
      guard (try? state.reserveStack(2)) != nil, (try? function.push(on: state)) != nil else { return nil }
      defer { clua_pop(state.L, 1) }
      return lua_topointer(state.L, -1).map { UnsafeRawPointer($0) }
    default: return nil
    }
  }
}
