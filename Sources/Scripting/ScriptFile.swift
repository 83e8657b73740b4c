import Diagnostics
import Files
import Foundation

/// A Lua file, read whole.
public enum ScriptFile {
  /// More than any script a person wrote. Lua follows a chain of indices (a.b.c…) recursively when it names what failed;
  /// a script of this length cannot make one that overflows the stack of `Compress.main`.
  static let byteLimit = 1 << 20

  /// - Throws: `CompressError` naming the file when it cannot be read, is too large or is no text.
  public static func read(_ path: String) throws -> String {
    try atFile(path) {
      let file = try MappedFile(path, limit: byteLimit)
      guard let text = file.withBytes(String.init(validatingUTF8:)) else {
        throw CompressError("is no UTF-8 text", kind: .input)
      }
      return text
    }
  }
}

extension String {
  fileprivate init?(validatingUTF8 bytes: UnsafeRawBufferPointer) {
    guard let text = String(validating: bytes.bindMemory(to: UInt8.self), as: UTF8.self) else { return nil }
    self = text
  }
}
