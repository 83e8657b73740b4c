import Diagnostics

/// What a file is, told by its first bytes: for errors about what nothing here reads in its place.
public struct FileKind: Sendable, Equatable {
  /// With its article: `an HDF5 file, as Keras writes them (.h5)`.
  public let name: String
  /// What the user could do about it.
  public let hint: String?

  private init(_ name: String, hint: String? = nil) {
    self.name = name
    self.hint = hint
  }

  /// nil when the bytes tell nothing.
  public init?(_ bytes: UnsafeRawBufferPointer) {
    guard let kind = Self.binary(bytes) ?? Self.protobuf(bytes) ?? Self.text(bytes) else { return nil }
    self = kind
  }

  /// What `torch.save` and `torch.jit.save` make.
  public static let pyTorchArchive = FileKind("a PyTorch checkpoint, a pickle in a zip archive (.pth, .pt)")
  /// What Keras makes.
  public static let kerasArchive = FileKind("a Keras model (.keras)")
  private static let exportedProgram = FileKind(
    "a program that torch.export saved (.pt2)",
    hint: "in Python: torch.onnx.export(torch.export.load(\"FILE\").module(), (x,), \"net.onnx\"), x an input")
  private static let savedModel = FileKind(
    "a TensorFlow SavedModel (.pb)",
    hint: "python -m tf2onnx.convert --saved-model FOLDER --output net.onnx, with Python's package tf2onnx")
  private static let coreML = FileKind(
    "a Core ML model (.mlmodel, .mlpackage)",
    hint: "export the network it was made of: in Python torch.onnx.export(model, (x,), \"net.onnx\")")
  /// Of a folder that programs take for a model; nil of any other folder, and of what is none.
  public init?(folder path: String) {
    func has(_ name: String) -> Bool { (try? Folders.size(ofFile: "\(path)/\(name)")) != nil }
    if has("saved_model.pb") {
      self = Self.savedModel
    } else if Folders.exists("\(path)/Data/com.apple.CoreML") {
      self = Self.coreML
    } else {
      return nil
    }
  }

  private static let pulling = "git lfs pull fetches the content"

  private static func binary(_ bytes: UnsafeRawBufferPointer) -> FileKind? {
    func has(_ text: String, at offset: Int = 0) -> Bool { bytes.dropFirst(offset).starts(with: Array(text.utf8)) }
    if bytes.isEmpty { return FileKind("an empty file") }
    if bytes.starts(with: [0x89] + Array("CMPR".utf8)) { return FileKind("a native model file (.cmpr)") }
    if bytes.starts(with: [0x89] + Array("CMX\r".utf8)) {
      return FileKind(
        "a compiled plan (.cmpx), which libcompress runs", hint: "the model file that it was made of can be read")
    }
    if bytes.starts(with: [0x89] + Array("HDF\r\n\u{1A}\n".utf8)) {
      return FileKind(
        "an HDF5 file, as Keras writes them (.h5)",
        hint: "a model of Keras is read with its network: load_model(\"FILE\") without into")
    }
    if has("TFL3", at: 4) { return FileKind("a TensorFlow Lite model (.tflite)") }
    if has("PK\u{3}\u{4}") || has("PK\u{5}\u{6}") { return zip(bytes) }
    if bytes.count > 2, bytes[0] == 0x80, (2...5).contains(bytes[1]) {
      return FileKind("a Python pickle, as PyTorch once saved checkpoints (.pth, .pt)")
    }
    if bytes.starts(with: [0x1F, 0x8B]) { return FileKind("compressed with gzip", hint: "gunzip it") }
    if bytes.starts(with: [0xFD] + Array("7zXZ".utf8)) { return FileKind("compressed with xz") }
    if bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { return FileKind("compressed with zstd") }
    if has("BZh") { return FileKind("compressed with bzip2") }
    if bytes.starts(with: [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]) { return FileKind("a 7z archive") }
    if has("ustar", at: 257) { return FileKind("a tar archive") }
    if bytes.starts(with: [0x93] + Array("NUMPY".utf8)) { return FileKind("a NumPy array (.npy)") }
    if has("GGUF") { return FileKind("a GGUF file") }
    if has("%PDF") { return FileKind("a PDF document") }
    if bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return FileKind("a JPEG image") }
    if bytes.starts(with: [0x89] + Array("PNG".utf8)) { return FileKind("a PNG image") }
    if has("GIF8") { return FileKind("a GIF image") }
    if has("RIFF") && has("WEBP", at: 8) { return FileKind("a WebP image") }
    if has("BM"), bytes.count >= 26 { return FileKind("a BMP image") }
    if has("II*\0") || has("MM\0*") { return FileKind("a TIFF image") }
    if has("ftyp", at: 4) {
      return FileKind(has("avif", at: 8) ? "an AVIF image" : has("hei", at: 8) ? "a HEIC image" : "a film (MP4)")
    }
    return nil
  }

  /// Programs that save models in zip archives are known by the name of the first file in it.
  private static func zip(_ bytes: UnsafeRawBufferPointer) -> FileKind {
    guard bytes.count > 30 else { return FileKind("a zip archive") }
    let length = Int(bytes[26]) | Int(bytes[27]) << 8
    let name = String(decoding: bytes.dropFirst(30).prefix(min(length, 256)), as: UTF8.self)
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    if name.hasSuffix("serialized_exported_program.json") || parts.last == "archive_format"
      || parts.count > 2 && parts[1] == "data" && ["weights", "constants", "sample_inputs"].contains(parts[2])
    {
      return exportedProgram
    }
    let ofPyTorch = ["data.pkl", "byteorder", "version", ".format_version", ".storage_alignment", "constants.pkl"]
    if parts.count >= 2, ofPyTorch.contains(String(parts[parts.count - 1])) || ["data", "code"].contains(parts[1]) {
      return pyTorchArchive
    }
    if name == "metadata.json" || name == "config.json" { return kerasArchive }
    if name.hasSuffix(".npy") { return FileKind("an archive of NumPy arrays (.npz)") }
    return FileKind("a zip archive")
  }

  /// Models in protocol buffers begin with their version, the first field, and go on with a field of few numbers.
  private static func protobuf(_ bytes: UnsafeRawBufferPointer) -> FileKind? {
    guard bytes.count > 8, bytes[0] == 0x08 else { return nil }
    if bytes[1] == 1, bytes[2] == 0x12 { return savedModel }
    // The second field of Core ML's is a description, which begins with a message, ONNX's the name of a program.
    if bytes[2] == 0x12, bytes[3] > 0, bytes[bytes[3] < 0x80 ? 4 : 5] == 0x0A { return coreML }
    guard (1...64).contains(bytes[1]), [0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42].contains(bytes[2]) else { return nil }
    return FileKind("an ONNX model (.onnx)")
  }

  private static func text(_ bytes: UnsafeRawBufferPointer) -> FileKind? {
    let text = String(decoding: bytes.prefix(256), as: UTF8.self)
    // Only the last character may be cut, where there is more.
    let scalars = bytes.count > 256 ? text.unicodeScalars.dropLast(3) : text.unicodeScalars[...]
    func isText(_ scalar: Unicode.Scalar) -> Bool {
      scalar != "\u{FFFD}"
        && (scalar.properties.generalCategory != .control || "\t\r\n".unicodeScalars.contains(scalar))
    }
    guard scalars.allSatisfy(isText) else { return nil }
    let body = text.drop { $0.isWhitespace || $0 == "\u{FEFF}" }, lower = body.lowercased()
    if lower.hasPrefix("version https://git-lfs") {
      return FileKind("the pointer that Git LFS leaves in place of a file", hint: pulling)
    }
    if lower.hasPrefix("<!doctype html") || lower.hasPrefix("<html") || lower.contains("<head") {
      return FileKind("an HTML page, as servers send in place of a file", hint: "look at it in a browser: it says why")
    }
    if lower.hasPrefix("<?xml") || body.first == "<" { return FileKind("an XML text") }
    if body.first == "{" || body.first == "[" {
      return lower.contains("weight_map") || lower.contains("total_size")
        ? FileKind(
          "the index of weights that lie in several files", hint: "name one of the files, or join them into one")
        : FileKind("a JSON text")
    }
    let line = body.prefix { !$0.isNewline }.prefix(40)
    return FileKind("a text that starts with \"\(String(line).escapedForTerminal)\"")
  }
}
