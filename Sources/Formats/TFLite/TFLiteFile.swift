import Diagnostics
import Files
import Network

/// Models in the format of TensorFlow Lite, now LiteRT.
public enum TFLiteFile {
  public static let fileExtension = "tflite"
  /// Counts what changes the network that a file becomes, so that results of before are not taken for those of now.
  public static let reading = 3
  static let identifier = Array("TFL3".utf8)

  /// Whether bytes say that they are such a model's.
  public static func isTFLite(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count >= 8 && bytes[4..<8].elementsEqual(identifier)
  }

  /// - Throws: `CompressError` with the path, and the node concerned, when the file is broken or asks for what is not
  ///   supported.
  public static func read(_ path: String) throws -> Model {
    try atFile(path) {
      let file = try MappedFile(path)
      return try withExtendedLifetime(file) {
        var importer = TFLiteImporter(try TFLiteGraph(FlatBuffer(file)))
        return try importer.imported()
      }
    }
  }

  /// Writes the model; the file appears whole or not at all.
  ///
  /// - Parameter limit: bytes; a larger file is not written.
  /// - Returns: bytes of the file.
  /// - Throws: `CompressError` naming the layer that such a file cannot say; with the path when the system refuses.
  @discardableResult
  public static func write(_ model: Model, to path: String, limit: Int = .max) throws -> Int {
    let bytes = try data(model)
    try AtomicFile.write(to: path, limit: limit) { try $0.write(bytes) }
    return bytes.count
  }

  /// The bytes `write` writes: the same model gives the same bytes.
  public static func data(_ model: Model) throws -> [UInt8] {
    var exporter = try TFLiteExporter(model)
    return try exporter.bytes()
  }
}
