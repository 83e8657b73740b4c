import CLuaBridge
import Diagnostics

extension LuaState {
  /// Defines a function every script can call.
  ///
  /// - Parameters:
  ///   - type: what it takes and gives, as `LuaDefinition` has it.
  ///   - help: one sentence.
  public func define(_ name: String, _ type: String = "", _ help: String = "", _ body: @escaping Body) {
    definitions.append(LuaDefinition(kind: .function, owner: nil, name: name, type: type, help: help))
    clua_push_globals(L)
    push(name, body)
    clua_raw_set_field(L, -2, name)
    clua_pop(L, 1)
  }

  /// Defines a global every script can read.
  public func define(_ name: String, value: LuaValue) throws {
    try reserveStack(4)
    try push(value)
    clua_push_globals(L)
    lua_rotate(L, -2, 1)
    clua_raw_set_field(L, -2, name)
    clua_pop(L, 1)
  }

  /// Defines a read-only table of functions, such as `zoo`.
  public func define(library name: String, _ members: [LuaMember]) throws {
    let table = try makeTable()
    for member in members {
      try table.set(member.name, function("\(name).\(member.name)", member.body))
      definitions.append(
        LuaDefinition(kind: .function, owner: name, name: member.name, type: member.type, help: member.help))
    }
    let missing = function(name) { arguments in
      guard let key = arguments[1].string else { return [.nil] }
      throw CompressError("\(name) has no \"\(key)\"" + Suggestion.text(for: key, among: members.map(\.name)))
    }
    try setMetatable(of: table, ["__index": missing])
    table.freeze("library '\(name)' is read-only")
    try define(name, value: .table(table))
  }

  private func setMetatable(of table: LuaTable, _ fields: KeyValuePairs<String, LuaValue>) throws {
    let metatable = try makeTable(fields: fields)
    try reserveStack(4)
    try table.push(on: self)
    try metatable.push(on: self)
    lua_setmetatable(L, -2)
    clua_pop(L, 1)
  }

  /// A host function as a value, to be handed to Lua.
  public func function(_ name: String, _ body: @escaping Body) -> LuaValue {
    push(name, body)
    return popValue()
  }

  func definePrint(_ print: @escaping (String) throws -> Void) {
    push("print") { arguments in
      try print(try arguments.string(0))
      return []
    }
    clua_set_print(L)
  }

  func defineUndefinedGlobals() {
    push("global") { arguments in
      guard let name = arguments[1].string else { return [.nil] }
      let state = arguments.state
      clua_push_caller_environment(state.L)
      let own = state.popValue().table
      clua_push_globals(state.L)
      let shared = state.popValue().table
      let names = (own?.keys ?? []) + (shared?.keys ?? [])
      let nearest = Suggestion.nearest(to: name, among: names).map { " (did you mean \"\($0)\"?)" } ?? ""
      throw CompressError("global variable \"\(name)\" is not defined" + nearest)
    }
    clua_set_undefined(L)
  }

  /// `math.random` and `math.randomseed` over the host's generator, so that a seed decides every number.
  func defineRandom(seed: UInt64, random: @escaping (UInt64) -> any RandomNumberGenerator) {
    define(inLibrary: "math", "random") { arguments in
      try arguments.atMost(2)
      let state = arguments.state
      guard arguments.count > 0 else { return [.number(Double(state.generator.next() >> 11) * 0x1p-53)] }
      var low = 1
      var high = try arguments.int(0)
      if arguments.count == 1, high == 0 { return [.integer(Int(truncatingIfNeeded: UInt64(state.generator.next())))] }
      if arguments.count == 2 { (low, high) = (high, try arguments.int(1)) }
      guard low <= high else { throw CompressError("math.random: nothing lies between \(low) and \(high)") }
      let span = UInt64(bitPattern: Int64(high)) &- UInt64(bitPattern: Int64(low))
      return [.integer(low &+ Int(truncatingIfNeeded: state.draw(upTo: span)))]
    }
    define(inLibrary: "math", "randomseed") { arguments in
      try arguments.atMost(1)
      let own = try arguments.optionalNumber(0).map(\.bitPattern)
      arguments.state.generator = random(own.map { seed &* 0x9E37_79B9_7F4A_7C15 ^ $0 } ?? seed)
      return []
    }
  }

  /// Uniform in 0...span, by refusing what is above it.
  private func draw(upTo span: UInt64) -> UInt64 {
    let mask = span == 0 ? 0 : UInt64.max >> UInt64(span.leadingZeroBitCount)
    while true {
      let bits: UInt64 = generator.next() & mask
      if bits <= span { return bits }
    }
  }

  private func define(inLibrary library: String, _ name: String, _ body: @escaping Body) {
    clua_push_globals(L)
    push(library)
    lua_rawget(L, -2)
    clua_push_content(L, -1)
    push("\(library).\(name)", body)
    clua_raw_set_field(L, -2, name)
    clua_pop(L, 3)
  }
}
