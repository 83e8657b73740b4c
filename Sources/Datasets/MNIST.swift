import Diagnostics
import Files

/// MNIST, and data sets published in the same four IDX files: 10 classes of 28x28 grey images.
enum MNIST {
  /// Looks in each root for one of `folders`, then in the root itself, for the four files, gzipped or not.
  ///
  /// - Throws: `CompressError` when no place has all four, or the first that has them holds broken ones.
  static func open(_ name: String, folders: [String], roots: [String]) throws -> DatasetPair {
    var places: [String] = []
    var incomplete: String?
    for place in roots.flatMap({ root in folders.map { "\(root)/\($0)" } + [root] }) {
      places.append(place)
      let found = Self.files.map { file in ["", ".gz"].map { "\(place)/\(file)\($0)" }.first(where: Folders.isFile) }
      let paths = found.compactMap { $0 }
      if paths.count == files.count {
        return DatasetPair(
          train: try IDXDataset(name: "\(name).train", images: paths[0], labels: paths[1], classCount: 10),
          test: try IDXDataset(name: "\(name).test", images: paths[2], labels: paths[3], classCount: 10))
      }
      if !paths.isEmpty, incomplete == nil {
        let missing = zip(files, found).filter { $1 == nil }.map(\.0)
        incomplete = "; \(place) lacks \(missing.joined(separator: ", "))"
      }
    }
    throw CompressError(
      "the files of \"\(name)\" were not found; looked in "
        + (places.isEmpty ? "no folder at all" : places.joined(separator: ", ")) + (incomplete ?? ""),
      kind: .input,
      hint: "put \(files.joined(separator: ", ")) (or the same with .gz) into a folder \(folders[0])/ "
        + "and name the folder that holds it with --data or $COMPRESS_DATA")
  }

  private static let files = [
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
  ]
}
