import Diagnostics
import Files
import Network

/// Model files of every format known here.
public enum ModelFile {
  /// Reads a model, in whatever format its first bytes show.
  ///
  /// - Throws: `CompressError` with the path when the format is not known, or what that format's reader throws.
  public static func read(_ path: String) throws -> Model {
    let file = try MappedFile(path)
    guard withExtendedLifetime(file, { NativeFormat.isNative(file.bytes) }) else {
      throw CompressError(
        "is no model file of a format known here; there is: native (.\(NativeFormat.fileExtension))", kind: .input
      ).at(file: path)
    }
    return try NativeFormat.read(path)
  }
}
