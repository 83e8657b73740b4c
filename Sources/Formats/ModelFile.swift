import Diagnostics
import Files
import Network

/// Model files of every format known here.
public enum ModelFile {
  /// How a file is read.
  public struct ReadOptions: Sendable {
    /// Of a format whose inputs may have axes that vary: their shapes, by the inputs' names, with the batch and in the
    /// file's order of axes.
    public var inputShapes: [String: [Int]] = [:]
    /// Whether operators that are not known, and what follows them, are left out; what they take are outputs then.
    public var allowsUnknown = false
    /// Gets sentences on what was left out.
    public var note: @Sendable (String) -> Void = { _ in }

    public init(
      inputShapes: [String: [Int]] = [:], allowsUnknown: Bool = false,
      note: @escaping @Sendable (String) -> Void = { _ in }
    ) {
      self.inputShapes = inputShapes
      self.allowsUnknown = allowsUnknown
      self.note = note
    }
  }

  /// How a file is written.
  public struct WriteOptions {
    /// Bytes; a larger file is not written.
    public var limit = Int.max
    /// The version of the operators of a format that has such; nil for the usual one.
    public var opset: Int?
    /// Of a packed file: whether it is to open fast rather than to be as small as can be.
    public var isFast = false
    /// Of a packed file: hears how many elements of how many are packed.
    public var progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    /// Told what of the model the file does not hold, or holds otherwise.
    public var note: (String) -> Void = { _ in }

    public init(limit: Int = .max) { self.limit = limit }

    var packing: PackedFormat.Options {
      var options = PackedFormat.Options(isFast: isFast, limit: limit)
      options.progress = progress
      return options
    }
  }

  /// The endings of the formats that are written.
  public static let extensions = ModelFormat.all.filter { $0.write != nil }.map(\.fileExtension)

  /// The endings of the formats whose files hold a network.
  public static let readExtensions = ModelFormat.all.filter { $0.read != nil }.map(\.fileExtension)

  /// Whether a file is a packed one, told by its content.
  public static func isPacked(_ path: String) throws -> Bool { try opened(path).withBytes(PackedFormat.isPacked) }

  /// - Parameter others: endings of what the caller writes itself.
  /// - Throws: `CompressError` naming the endings there are, when the name has another one; when an option is not for
  ///   that format.
  public static func checkName(
    _ name: String, _ options: WriteOptions = WriteOptions(), beside others: [String] = []
  ) throws {
    let isOther = others.contains { name.hasSuffix("." + $0) && name.utf8.count > $0.utf8.count + 1 }
    let format = isOther ? nil : try format(writing: name, beside: others)
    guard options.opset == nil || format?.hasOperatorSets ?? false else {
      throw CompressError("opset is for .\(ONNXFile.fileExtension) files")
    }
    guard !options.isFast || format?.fileExtension == PackedFormat.fileExtension else {
      throw CompressError("fast is for .\(PackedFormat.fileExtension) files")
    }
  }

  /// The format that a name's ending asks for.
  private static func format(writing name: String, beside others: [String] = []) throws -> ModelFormat {
    let format = ModelFormat.all.first {
      name.hasSuffix("." + $0.fileExtension) && name.utf8.count > $0.fileExtension.utf8.count + 1
    }
    if let format, format.write != nil { return format }
    let extensions = extensions + others
    throw CompressError(
      "\"\(name.escapedForTerminal.shortened(to: 80))\": a model's file ends in "
        + extensions.dropLast().map { "." + $0 }.joined(separator: ", ") + " or .\(extensions.last ?? "")")
  }

  /// Writes a model in the format that the name's ending asks for. The file appears whole or not at all.
  ///
  /// - Returns: bytes of the file.
  /// - Throws: `CompressError` when the name has no ending of a format that is written; what that format's writer
  ///   throws.
  @discardableResult
  public static func write(_ model: Model, to path: String, _ options: WriteOptions = WriteOptions()) throws -> Int {
    try checkName(path, options)
    return try format(writing: path).write!(model, path, options)
  }

  /// Reads a model, in whatever format its first bytes show.
  ///
  /// - Throws: `CompressError` with the path when the format is not known, or what that format's reader throws.
  public static func read(_ path: String, _ options: ReadOptions = ReadOptions()) throws -> Model {
    let file = try opened(path)
    guard let format = ModelFormat.of(file) else {
      throw foreign(file.withBytes(FileKind.init)).at(file: path)
    }
    guard let read = format.read else {
      // One that cannot be read at all says so itself.
      _ = try format.weights?(path)
      throw CompressError(
        "holds weights without a network", kind: .input,
        hint: "in a script: load_model(\"FILE\", { into = zoo.NAME {} })"
      ).at(file: path)
    }
    guard options.inputShapes.isEmpty || format.hasVaryingInputs else {
      throw CompressError("shapes of inputs can be given for files whose inputs may vary, as ONNX files' may")
        .at(file: path)
    }
    guard !options.allowsUnknown || format.leavesOut else {
      throw CompressError("operators that are not known can be left out of ONNX files").at(file: path)
    }
    return try read(path, options)
  }

  /// Whether a file is of a format whose inputs may vary, so that shapes can be given for them.
  public static func mayVary(_ path: String) throws -> Bool {
    ModelFormat.of(try opened(path))?.hasVaryingInputs ?? false
  }

  /// Whether a file holds weights without a network.
  public static func isWeights(_ path: String) throws -> Bool { ModelFormat.of(try opened(path))?.weights != nil }

  /// The tensors of a file that holds weights without a network.
  ///
  /// - Throws: `CompressError` with the path when it is another file, or what that format's reader throws.
  public static func weights(_ path: String) throws -> any WeightsFile {
    // What is of no such format says best itself what it is.
    try ModelFormat.of(opened(path))?.weights?(path) ?? SafeTensorsFile(path)
  }

  private static func opened(_ path: String) throws -> MappedFile {
    if let kind = FileKind(folder: path) { throw foreign(kind).at(file: path) }
    return try MappedFile(path)
  }

  private static func foreign(_ kind: FileKind?) -> CompressError {
    func list(_ formats: [ModelFormat]) -> String { formats.map { "." + $0.fileExtension }.joined(separator: ", ") }
    return CompressError(
      "is \(kind?.name ?? "no model file of a format known here"); models are read from "
        + "\(list(ModelFormat.all.filter { $0.read != nil })) files, and weights from "
        + list(ModelFormat.all.filter { $0.weights != nil }), kind: .input, hint: kind?.hint)
  }

  /// The files that a model is in: the one named, and those beside it that hold its weights.
  ///
  /// - Throws: `CompressError` with the path when it cannot be read.
  public static func parts(_ path: String) throws -> [String] {
    let file = try MappedFile(path)
    return [path] + (try ModelFormat.of(file)?.otherFiles?(file) ?? [])
  }

  /// What tells readers apart that make different networks of the same file; nil of a format that says all itself.
  public static func reading(_ path: String) throws -> String? {
    guard let format = ModelFormat.of(try MappedFile(path)), let reading = format.reading else { return nil }
    return "\(format.fileExtension) \(reading)"
  }
}
