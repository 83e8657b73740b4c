import Diagnostics
import Files
import Network

/// Model files of every format known here.
public enum ModelFile {
  /// Writes a model in the format that the name's extension asks for: safetensors, or native.
  ///
  /// - Throws: what that format's writer throws.
  public static func write(_ model: Model, to path: String) throws {
    if path.hasSuffix("." + SafeTensorsFile.fileExtension) {
      try SafeTensorsFile.write(model, to: path)
    } else {
      try NativeFormat.write(model, to: path)
    }
  }

  /// Reads a model, in whatever format its first bytes show.
  ///
  /// - Throws: `CompressError` with the path when the format is not known, or what that format's reader throws.
  public static func read(_ path: String) throws -> Model {
    let file = try MappedFile(path)
    if file.withBytes({ SafeTensorsFile.isSafeTensors($0) && !NativeFormat.isNative($0) }) {
      throw CompressError(
        "holds weights without a network", kind: .input,
        hint: "in a script: load_model(\"FILE\", { into = zoo.NAME {} })"
      ).at(file: path)
    }
    guard file.withBytes({ NativeFormat.isNative($0) }) else {
      throw CompressError(
        "is no model file of a format known here; there is: native (.\(NativeFormat.fileExtension))", kind: .input
      ).at(file: path)
    }
    return try NativeFormat.read(path)
  }
}
