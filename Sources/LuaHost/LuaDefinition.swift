/// Something that scripts can name, as editors and people are told of it. It is recorded where it is defined,
/// so that stubs and help say what there is.
public struct LuaDefinition: Sendable {
  public enum Kind: Sendable, Equatable {
    case function, method, property
    case operation(LuaOperation)
  }

  public let kind: Kind
  /// The class or library it belongs to; nil for a global.
  public let owner: String?
  public let name: String
  /// In the notation of Lua's annotations: `(axis: integer, keep?: boolean): Tensor` for what is called, a type for
  /// properties; empty when nobody wrote it down.
  public let type: String
  /// One sentence.
  public let help: String
}

/// A function of a library, with what people are told of it.
public struct LuaMember {
  let name: String
  let type: String
  let help: String
  let body: LuaState.Body

  public init(_ name: String, _ type: String = "", _ help: String = "", body: @escaping LuaState.Body) {
    self.name = name
    self.type = type
    self.help = help
    self.body = body
  }
}
