import CLuaBridge
import Diagnostics

/// What a userdata owns: a Swift object, and the bytes it was accounted for.
final class LuaInstance {
  let className: String
  private(set) var object: AnyObject?
  private let bytes: Int
  private let shared: [SharedMemory]
  private let native: NativeMemory

  init(_ object: AnyObject, className: String, bytes: Int, shared: [SharedMemory], native: NativeMemory) {
    self.object = object
    self.className = className
    self.bytes = bytes + Self.overhead
    self.shared = shared
    self.native = native
    native.add(self.bytes)
    for part in shared { native.add(part) }
  }

  /// Bytes that any object takes beside what its class counts.
  static let overhead = 512

  func close() {
    guard object != nil else { return }
    object = nil
    native.remove(bytes)
    for part in shared { native.remove(part) }
  }

  deinit { close() }
}

/// Stands for an object that was closed where a value is expected.
final class ClosedObject {
  let className: String
  init(_ className: String) { self.className = className }
}

/// A class as the state knows it.
struct ClassEntry {
  var name: String
  var metatable: LuaReference
  var bytes: (AnyObject) -> Int
  var shared: (AnyObject) -> [SharedMemory]
  var accepts: (AnyObject) -> Bool
}

extension LuaState {
  /// Makes a class known, so that its objects can be handed to Lua.
  ///
  /// - Precondition: the Swift class has not been defined before.
  public func define<Object: AnyObject>(_ definition: LuaClass<Object>) {
    let key = ObjectIdentifier(Object.self)
    let name = definition.name
    precondition(classes[key] == nil, "\(name) is defined already")
    definitions += definition.definitions
    var names = definition.methods.keys.map { $0 } + definition.properties.keys
    lua_createtable(L, 0, Int32(definition.methods.count))
    for (method, body) in definition.methods {
      push("\(name):\(method)") { arguments in
        try body(try arguments.receiver(Object.self, method, of: name), arguments.withoutReceiver)
      }
      clua_raw_set_field(L, -2, method)
    }
    if definition.isClosable {
      names.append("close")
      pushClose(Object.self, name)
      clua_raw_set_field(L, -2, "close")
    }
    lua_createtable(L, 0, Int32(definition.properties.count))
    for (property, body) in definition.properties {
      push("\(name).\(property)") { [try body(try $0.receiver(Object.self, property, of: name))] }
      clua_raw_set_field(L, -2, property)
    }
    let lookUp = definition.lookUp
    push(name) { arguments in
      let object = try arguments.receiver(Object.self, "[]", of: name)
      if let value = try lookUp?(object, arguments[1]) { return [value] }
      let article = Self.withArticle(name)
      guard let key = arguments[1].string else {
        throw CompressError("\(article) cannot be indexed with \(arguments.state.describe(arguments[1]))")
      }
      throw CompressError("\(article) has no method or property \"\(key)\"" + Suggestion.text(for: key, among: names))
    }
    clua_push_class(L, name)
    for (operation, body) in definition.operations {
      push("\(name) \(operation.rawValue)") { [try body($0)] }
      clua_raw_set_field(L, -2, operation.metamethod)
    }
    if definition.isClosable {
      pushClose(Object.self, name)
      clua_raw_set_field(L, -2, "__close")
    }
    let bytes = definition.bytes, shared = definition.shared
    classes[key] = ClassEntry(
      name: name, metatable: LuaReference(popping: self),
      bytes: { ($0 as? Object).map(bytes) ?? 0 }, shared: { ($0 as? Object).map(shared) ?? [] }, accepts: { $0 is Object })
  }

  private func pushClose<Object: AnyObject>(_ type: Object.Type, _ name: String) {
    push("\(name):close") { arguments in
      if case .object(is ClosedObject) = arguments[0] { return [] }
      let object = try arguments.receiver(type, "close", of: name)
      arguments.state.close(object)
      return []
    }
  }

  /// Lets go of an object that Lua holds; scripts that still use it get an error.
  public func close(_ object: AnyObject) {
    let identity = Unmanaged.passUnretained(object).toOpaque()
    guard clua_push_known_object(L, identity) else { return }
    if let box = clua_to_object(L, -1) { Unmanaged<LuaInstance>.fromOpaque(box).takeUnretainedValue().close() }
    clua_pop(L, 1)
    clua_forget_object(L, identity)
  }

  /// The same Swift object is the same userdata for as long as Lua holds it.
  func pushObject(_ object: AnyObject) throws {
    let identity = Unmanaged.passUnretained(object).toOpaque()
    if clua_push_known_object(L, identity) { return }
    guard let entry = entry(for: object) else {
      throw CompressError("objects of \(type(of: object)) cannot be handed to a script")
    }
    try makeRoom(for: entry.bytes(object) + LuaInstance.overhead)
    let instance = LuaInstance(
      object, className: entry.name, bytes: entry.bytes(object), shared: entry.shared(object), native: native)
    clua_push_ref(L, entry.metatable.id)
    clua_push_object(L, Unmanaged.passRetained(instance).toOpaque(), identity)
    if native.wantsCollection { collectNative() }
  }

  /// - Throws: a `CompressError` of kind `limit` when the objects that scripts still hold leave no room for one more.
  private func makeRoom(for bytes: Int) throws {
    if native.hasRoom(for: bytes) { return }
    collectNative()
    guard native.hasRoom(for: bytes) else {
      throw CompressError(
        "the objects a script holds take \(native.used) bytes; \(native.limit) are allowed", kind: .limit,
        hint: "--tensor-memory MIB allows more")
    }
  }

  /// The entry of the object's class, or of a class it inherits from.
  func entry(for object: AnyObject) -> ClassEntry? {
    classes[ObjectIdentifier(type(of: object))] ?? classes.values.first { $0.accepts(object) }
  }
}

extension LuaArguments {
  func receiver<Object: AnyObject>(_ type: Object.Type, _ member: String, of name: String) throws -> Object {
    if let object = self[0].object(type) { return object }
    if case .object(is ClosedObject) = self[0] {
      throw CompressError("\(function): this \(name) has been closed")
    }
    let got = count == 0 ? "nothing" : state.describe(self[0])
    throw CompressError(
      "\(function) was called on \(got), not on \(LuaState.withArticle(name))",
      hint: "with a colon: object:\(member)(...)")
  }

  var withoutReceiver: LuaArguments {
    LuaArguments(state: state, function: function, values: Array(values.dropFirst()))
  }
}
