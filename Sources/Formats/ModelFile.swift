import Diagnostics
import Files
import Network

/// Model files of every format known here.
public enum ModelFile {
  /// The endings there are formats for.
  public static let extensions = [NativeFormat.fileExtension, SafeTensorsFile.fileExtension]

  /// - Throws: `CompressError` naming the endings there are, when the name has another one.
  public static func checkName(_ name: String) throws {
    if extensions.contains(where: { name.hasSuffix("." + $0) && name.utf8.count > $0.utf8.count + 1 }) { return }
    throw CompressError(
      "\"\(name.escapedForTerminal.shortened(to: 80))\": a model's file ends in "
        + extensions.map { "." + $0 }.joined(separator: " or "))
  }

  /// Writes a model in the format that the name's ending asks for: safetensors, or native. The file appears whole or
  /// not at all.
  ///
  /// - Parameter limit: bytes; a larger file is not written.
  /// - Returns: bytes of the file.
  /// - Throws: `CompressError` when the name has no ending that is known here; what that format's writer throws.
  @discardableResult
  public static func write(_ model: Model, to path: String, limit: Int = .max) throws -> Int {
    try checkName(path)
    return path.hasSuffix("." + SafeTensorsFile.fileExtension)
      ? try SafeTensorsFile.write(model, to: path, limit: limit) : try NativeFormat.write(model, to: path, limit: limit)
  }

  /// Reads a model, in whatever format its first bytes show.
  ///
  /// - Parameter inputShapes: of a format whose inputs may have axes that vary: what they are, by the inputs' names,
  ///   with the batch and in the file's order of axes.
  /// - Throws: `CompressError` with the path when the format is not known, or what that format's reader throws.
  public static func read(_ path: String, inputShapes: [String: [Int]] = [:]) throws -> Model {
    let file = try MappedFile(path)
    if file.withBytes({ SafeTensorsFile.isSafeTensors($0) && !NativeFormat.isNative($0) }) {
      throw CompressError(
        "holds weights without a network", kind: .input,
        hint: "in a script: load_model(\"FILE\", { into = zoo.NAME {} })"
      ).at(file: path)
    }
    if isONNX(file) {
      var options = ONNXFile.Options()
      options.inputShapes = inputShapes
      return try ONNXFile.read(path, options)
    }
    guard inputShapes.isEmpty else {
      throw CompressError("shapes of inputs can be given for ONNX files only").at(file: path)
    }
    guard file.withBytes({ NativeFormat.isNative($0) }) else {
      let kind = file.withBytes(FileKind.init)
      throw CompressError(
        "is \(kind?.name ?? "no model file of a format known here"); models are read from native files "
          + "(.\(NativeFormat.fileExtension)) and ONNX files (.\(ONNXFile.fileExtension)), and weights from "
          + ".\(SafeTensorsFile.fileExtension)", kind: .input, hint: kind?.hint
      ).at(file: path)
    }
    return try NativeFormat.read(path)
  }

  /// By its content; one that is cut short by its first byte and its name.
  private static func isONNX(_ file: MappedFile) -> Bool {
    file.withBytes { bytes in
      guard !NativeFormat.isNative(bytes) else { return false }
      return ONNXFile.isONNX(bytes) || bytes.first == 0x08 && file.path.hasSuffix("." + ONNXFile.fileExtension)
    }
  }

  /// The files that a model is in: the one named, and those beside it that hold its weights.
  ///
  /// - Throws: `CompressError` with the path when it cannot be read.
  public static func parts(_ path: String) throws -> [String] {
    let file = try MappedFile(path)
    return [path] + (isONNX(file) ? try ONNXFile.externalFiles(file) : [])
  }
}
