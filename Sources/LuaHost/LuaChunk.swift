extension LuaState {
  /// The text of a loaded chunk, and what Lua's own messages call it.
  struct Chunk {
    var source: String
    var shortName: String

    /// Lua shows at most 59 bytes of a file name; of a longer one the end (lobject.c, luaO_chunkid).
    static func shortName(_ name: String) -> String {
      guard name.utf8.count > 59 else { return name }
      return String(decoding: Array("...".utf8) + name.utf8.suffix(56), as: UTF8.self)
    }
  }
}
