import Diagnostics
import Formats
import Network

/// Models written for others: as files of the formats, or as C source.
public enum ModelExport {
  /// The endings of what can be written.
  public static let extensions = ModelFile.extensions + [CSourceFile.fileExtension]

  /// - Throws: `CompressError` naming the endings there are, when the name has another one; when an option is not for
  ///   what is written.
  public static func checkName(_ name: String, _ options: ModelFile.WriteOptions) throws {
    try ModelFile.checkName(name, options, beside: [CSourceFile.fileExtension])
  }

  /// What is written for a name, beside what it names.
  public static func others(of path: String) -> [String] {
    CSourceFile.isName(path) ? [CSourceFile.headerPath(path)] : [path + ".data"]
  }

  /// Writes a model as what the name's ending asks for.
  ///
  /// - Parameter tell: hears sentences on what was written, of C source.
  /// - Returns: bytes of all that was written.
  /// - Throws: `CompressError` when the name has no such ending; what the writer throws.
  public static func write(
    _ model: Model, to path: String, _ options: ModelFile.WriteOptions, tell: (String) -> Void
  ) throws -> Int {
    try checkName(path, options)
    guard CSourceFile.isName(path) else { return try ModelFile.write(model, to: path, options) }
    let file = try CSourceFile.of(model, path: path), written = try file.write(to: path, limit: options.limit)
    file.summary.forEach(tell)
    return written
  }
}
