import Diagnostics
import Files

/// Finds the files of a published data set under the folders where data is looked for.
struct DatasetFiles {
  let name: String
  /// Where the files lie below a root, the preferred place first; the root itself comes last.
  let folders: [String]
  /// All of them are needed, gzipped (with `.gz`) or not.
  let files: [String]
  /// Whether `compress data get` knows it.
  var isPublished = false

  /// The paths of `files`, from the first place that has all of them.
  ///
  /// - Throws: `CompressError` with the places looked at when none has.
  func find(under roots: [String]) throws -> [String] {
    var places: [String] = []
    var incomplete: String?
    for place in roots.flatMap({ root in folders.map { "\(root)/\($0)" } + [root] }) {
      places.append(place)
      let found = files.map { file in ["", ".gz"].map { "\(place)/\(file)\($0)" }.first(where: Folders.isFile) }
      let paths = found.compactMap { $0 }
      if paths.count == files.count { return paths }
      if !paths.isEmpty, incomplete == nil {
        let missing = zip(files, found).filter { $1 == nil }.map(\.0)
        incomplete = "; \(place) lacks \(missing.joined(separator: ", "))"
      }
    }
    throw CompressError(
      "the files of \"\(name)\" were not found; looked in "
        + (places.isEmpty ? "no folder at all" : places.joined(separator: ", ")) + (incomplete ?? ""),
      kind: .input,
      hint: (isPublished ? "compress data get \(name) fetches them; or " : "")
        + "put \(files.joined(separator: ", ")) (or the same with .gz) into a folder \(folders[0])/ "
        + "and name the folder that holds it with --data or $COMPRESS_DATA")
  }
}
