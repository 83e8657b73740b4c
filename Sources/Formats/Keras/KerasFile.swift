import Diagnostics
import Files
import Network

/// Models of Keras: `.keras` archives of Keras 3, and of 2.12 and later, and `.h5` files of both; sequential and
/// functional ones. They are a configuration, which names layers and what each is called with, and weights in HDF5.
public enum KerasFile {
  public static let fileExtension = "keras"
  static let wholeExtension = "h5"
  /// Counts what changes the network that a file becomes, so that results of before are not taken for those of now.
  static let reading = 1

  static let exporting =
    "in Python: model.export(\"net.onnx\", format=\"onnx\"), or python -m tf2onnx.convert --keras FILE "
    + "--output net.onnx"

  static func isArchive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.starts(with: Array("PK".utf8)) && FileKind(bytes) == FileKind.kerasArchive
  }

  /// - Throws: `CompressError` with the path, and the layer concerned, when the file is broken or asks for what is not
  ///   supported.
  static func read(_ path: String, _ options: ModelFile.ReadOptions) throws -> Model {
    try atFile(path) {
      let file = try MappedFile(path)
      return try file.withBytes { bytes in
        try isArchive(bytes) ? archive(ZipFile(path), options) : whole(HDF5File(bytes), options)
      }
    }
  }

  private static func archive(_ archive: ZipFile, _ options: ModelFile.ReadOptions) throws -> Model {
    func entry(_ name: String) throws -> ZipFile.Entry {
      let named = archive.entries.filter { $0.name == name }
      guard named.count == 1 else {
        throw CompressError("is an archive with \(named.count) files \(name)", kind: .input)
      }
      return named[0]
    }
    let config = try KerasJSON.read(archive.read(entry("config.json")))
    let metadata = try? KerasJSON.read(archive.read(entry("metadata.json")))
    let bytes = try archive.read(entry("model.weights.h5"))
    let weights = try bytes.withUnsafeBytes { try HDF5File($0) }
    return try model(
      config, KerasWeights(weights, .archive), version: metadata?["keras_version"]?.text, options, format: fileExtension
    )
  }

  private static func whole(_ file: HDF5File, _ options: ModelFile.ReadOptions) throws -> Model {
    guard let config = file.text("model_config") else {
      let isWeights =
        file.attributes[""]?.keys.contains { $0.hasPrefix("layer_names") } ?? false || !file.dataSets.isEmpty
      throw CompressError(
        isWeights ? "holds weights without a network: it has no model_config" : "holds no model of Keras", kind: .input,
        hint: "in Python: model.save(\"net.keras\") writes both")
    }
    return try model(
      KerasJSON.read(Array(config.utf8)), KerasWeights(file, .whole), version: file.text("keras_version"), options,
      format: wholeExtension)
  }

  private static func model(
    _ config: KerasJSON, _ weights: KerasWeights, version: String?, _ options: ModelFile.ReadOptions, format: String
  ) throws -> Model {
    let network = try KerasNetwork(config)
    // Keras 3 changed what some names mean.
    let isVersion3 = version?.hasPrefix("3") ?? (config["module"] != nil)
    var importer = KerasImporter(weights, isVersion3: isVersion3, inputShapes: options.inputShapes)
    return try importer.imported(network, format: format)
  }
}
