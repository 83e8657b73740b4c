import Diagnostics
import Files

/// A data set's two halves, as scripts see them: `data.train` and `data.test`.
public struct DatasetPair: Sendable {
  public let train: any Dataset
  public let test: any Dataset

  public init(train: any Dataset, test: any Dataset) {
    self.train = train
    self.test = test
  }
}

/// The data sets known by name.
public enum DatasetCatalog {
  /// What `open` understands, in alphabetical order.
  public static var names: [String] { openers.keys.sorted() }

  private static let openers: [String: @Sendable (_ roots: [String]) throws -> DatasetPair] = [
    "digits": { _ in SyntheticDigits.pair() },
    "fashion_mnist": { try MNIST.open("fashion_mnist", folders: ["fashion_mnist", "fashion-mnist"], roots: $0) },
    "mnist": { try MNIST.open("mnist", folders: ["mnist"], roots: $0) },
  ]

  /// The data set of that name, looked for under `roots` in order.
  ///
  /// - Throws: `CompressError` when the name is unknown (with the nearest one), the files are not there (with the
  ///   places looked at) or are broken.
  public static func open(_ name: String, roots: [String]) throws -> DatasetPair {
    guard let opener = openers[name] else {
      throw CompressError("there is no data set \"\(name)\"" + Suggestion.text(for: name, among: names))
    }
    return try opener(roots)
  }

  /// Where data is looked for: the folder given on the command line, `$COMPRESS_DATA`, and `data` in the user's cache.
  public static func roots(data: String?) -> [String] {
    [data, Folders.environment("COMPRESS_DATA"), Folders.cache.map { $0 + "/data" }].compactMap { $0 }
  }
}
