import Files
import Network

/// A format of model files: how a file is told to be one, and what reads and writes it.
struct ModelFormat: Sendable {
  let fileExtension: String
  /// By a file's content; its name counts only where the content cannot tell.
  let isFile: @Sendable (MappedFile) -> Bool
  /// nil of a format that holds weights without a network.
  let read: (@Sendable (_ path: String, ModelFile.ReadOptions) throws -> Model)?
  /// Of a format that holds weights without a network.
  var weights: (@Sendable (_ path: String) throws -> any WeightsFile)?
  /// Gives the bytes of the file; nil of a format that is only read.
  let write: (@Sendable (Model, _ path: String, ModelFile.WriteOptions) throws -> Int)?
  /// Whether there are versions of the operators to choose from.
  var hasOperatorSets = false
  /// Whether shapes of inputs can be given.
  var hasVaryingInputs = false
  /// Whether operators that are not known can be left out.
  var leavesOut = false
  /// The files beside one that hold its weights.
  var otherFiles: (@Sendable (MappedFile) throws -> [String])?
  /// Of a format that is not ours: counts what changes the network that a file becomes, so that results of before are
  /// not taken for those of now.
  var reading: Int?

  /// The first one whose file it is counts.
  static let all = [native, safeTensors, onnx, tflite, packed, pyTorch, keras, kerasWhole]

  /// The format of a file, or nil.
  static func of(_ file: MappedFile) -> ModelFormat? { all.first { $0.isFile(file) } }

  private static let native = ModelFormat(
    fileExtension: NativeFormat.fileExtension, isFile: { $0.withBytes(NativeFormat.isNative) },
    read: { path, _ in try NativeFormat.read(path) },
    write: { try NativeFormat.write($0, to: $1, limit: $2.limit) })

  private static let packed = ModelFormat(
    fileExtension: PackedFormat.fileExtension, isFile: { $0.withBytes(PackedFormat.isPacked) },
    read: { path, _ in try PackedFormat.read(path) },
    write: { try PackedFormat.write($0, to: $1, $2.packing) })

  private static let safeTensors = ModelFormat(
    fileExtension: SafeTensorsFile.fileExtension, isFile: { $0.withBytes(SafeTensorsFile.isSafeTensors) }, read: nil,
    weights: { try SafeTensorsFile($0) },
    write: { try SafeTensorsFile.write($0, to: $1, limit: $2.limit) })

  private static let onnx = ModelFormat(
    fileExtension: ONNXFile.fileExtension,
    isFile: { file in
      // One that is cut short is told by its first byte and its name.
      file.withBytes { ONNXFile.isONNX($0) || $0.first == 0x08 && file.path.hasSuffix("." + ONNXFile.fileExtension) }
    },
    read: { path, options in
      var reading = ONNXFile.Options()
      reading.inputShapes = options.inputShapes
      reading.allowsUnknown = options.allowsUnknown
      return try ONNXFile.read(path, reading, note: options.note)
    },
    write: { model, path, options in
      var writing = ONNXFile.WriteOptions()
      writing.limit = options.limit
      if let version = options.opset { writing.version = version }
      writing.note = options.note
      return try ONNXFile.write(model, to: path, writing)
    }, hasOperatorSets: true, hasVaryingInputs: true, leavesOut: true, otherFiles: ONNXFile.externalFiles,
    reading: ONNXFile.reading)

  private static let pyTorch = ModelFormat(
    fileExtension: PyTorchFile.fileExtension, isFile: { $0.withBytes(PyTorchFile.isPyTorch) }, read: nil,
    weights: { try PyTorchFile($0) }, write: nil)

  private static let keras = ModelFormat(
    fileExtension: KerasFile.fileExtension, isFile: { $0.withBytes(KerasFile.isArchive) }, read: KerasFile.read,
    write: nil, hasVaryingInputs: true, reading: KerasFile.reading)

  private static let kerasWhole = ModelFormat(
    fileExtension: KerasFile.wholeExtension, isFile: { $0.withBytes(HDF5File.isHDF5) }, read: KerasFile.read,
    write: nil, hasVaryingInputs: true, reading: KerasFile.reading)

  private static let tflite = ModelFormat(
    fileExtension: TFLiteFile.fileExtension, isFile: { $0.withBytes(TFLiteFile.isTFLite) },
    read: { path, _ in try TFLiteFile.read(path) },
    write: { try TFLiteFile.write($0, to: $1, limit: $2.limit) }, reading: TFLiteFile.reading)
}
