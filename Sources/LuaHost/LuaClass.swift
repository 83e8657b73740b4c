/// How scripts see a Swift class: its name, methods, properties and operators. For example:
///
///     let tensor = LuaClass<TensorObject>("Tensor", bytes: \.byteCount)
///     tensor.method("abs", "(): Tensor", "Magnitude of each element.") { tensor, _ in [.object(tensor.abs())] }
///     tensor.property("count", "integer") { .integer($0.count) }
///     tensor.operation(.add) { arguments in .object(try sum(arguments.values)) }
///     state.define(tensor)
///
/// What follows a name, its type as `LuaDefinition` has it and one sentence, is for editors and help.
///
/// Methods get the arguments behind the object. Anything else that is looked up is an error with the nearest name.
public final class LuaClass<Object: AnyObject> {
  public let name: String
  let bytes: (Object) -> Int
  let shared: (Object) -> [SharedMemory]
  private(set) var methods: [String: (Object, LuaArguments) throws -> [LuaValue]] = [:]
  private(set) var properties: [String: (Object) throws -> LuaValue] = [:]
  private(set) var operations: [LuaOperation: (LuaArguments) throws -> LuaValue] = [:]
  private(set) var lookUp: ((Object, LuaValue) throws -> LuaValue?)?
  private(set) var isClosable = false
  /// In the order in which they were made.
  private(set) var definitions: [LuaDefinition] = []

  /// - Parameters:
  ///   - bytes: The host memory that an object alone holds, asked once, when it is first handed to Lua.
  ///   - shared: Host memory that it holds together with other objects, likewise.
  public init(
    _ name: String, bytes: @escaping (Object) -> Int = { _ in 0 },
    shared: @escaping (Object) -> [SharedMemory] = { _ in [] }
  ) {
    self.name = name
    self.bytes = bytes
    self.shared = shared
  }

  public func method(
    _ name: String, _ type: String = "", _ help: String = "",
    _ body: @escaping (Object, LuaArguments) throws -> [LuaValue]
  ) {
    methods[name] = body
    definitions.append(LuaDefinition(kind: .method, owner: self.name, name: name, type: type, help: help))
  }

  public func property(
    _ name: String, _ type: String = "", _ help: String = "", _ body: @escaping (Object) throws -> LuaValue
  ) {
    properties[name] = body
    definitions.append(LuaDefinition(kind: .property, owner: self.name, name: name, type: type, help: help))
  }

  /// An operator. The arguments are its operands: either may be the object, the other anything at all.
  public func operation(
    _ operation: LuaOperation, _ type: String = "", _ body: @escaping (LuaArguments) throws -> LuaValue
  ) {
    operations[operation] = body
    definitions.append(
      LuaDefinition(kind: .operation(operation), owner: name, name: operation.rawValue, type: type, help: ""))
  }

  /// Answers `object[key]` for what is neither method nor property; nil makes it an error.
  public func lookUp(_ body: @escaping (Object, LuaValue) throws -> LuaValue?) {
    lookUp = body
  }

  /// Gives objects a method `close`, which lets go of the Swift object at once; using them later is an error.
  public func closable() { isClosable = true }
}

/// The operators a class can define.
public enum LuaOperation: String, Sendable {
  case add
  case subtract = "sub"
  case multiply = "mul"
  case divide = "div"
  case modulo = "mod"
  case power = "pow"
  case negate = "unm"
  case floorDivide = "idiv"
  case concatenate = "concat"
  case length = "len"
  case equal = "eq"
  case less = "lt"
  case lessOrEqual = "le"
  case call
  case describe = "tostring"

  var metamethod: String { "__" + rawValue }
}
