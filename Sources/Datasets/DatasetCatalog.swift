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

  private static let openers: [String: @Sendable (_ roots: [String], _ options: Options) throws -> DatasetPair] = [
    "cifar10": { try CIFAR.open10(roots: $0, memory: $1.memory) },
    "cifar100": { try CIFAR.open100($1.labels ?? .fine, roots: $0, memory: $1.memory) },
    "digits": { _, _ in SyntheticDigits.pair() },
    "fashion_mnist": {
      try MNIST.open(
        "fashion_mnist", folders: ["fashion_mnist", "fashion-mnist"], classNames: MNIST.fashion, roots: $0,
        memory: $1.memory)
    },
    "imagenette": { try Imagenette.open(roots: $0, $1.folders ?? ImageFolder.Options()) },
    "mnist": {
      try MNIST.open("mnist", folders: ["mnist"], classNames: MNIST.digits, roots: $0, memory: $1.memory)
    },
  ]

  /// What can be asked of a data set.
  public struct Options: Sendable {
    public var images = ImageOptions()
    /// Which labels, where there are several.
    public var labels: Labels?
    /// How the images of folders are cut, and what becomes of broken ones.
    public var folders: ImageFolder.Options?
    /// What decoded data may be held in.
    public var memory = DataMemory()

    public init() {}
  }

  /// CIFAR-100's 100 classes, or the 20 groups they fall into.
  public enum Labels: String, Sendable, CaseIterable {
    case fine, coarse
  }

  /// The data set of that name, looked for under `roots` in order.
  ///
  /// - Throws: `CompressError` when the name is unknown (with the nearest one), the files are not there (with the
  ///   places looked at) or are broken, or the images cannot be made what is asked for.
  public static func open(_ name: String, roots: [String], options: Options = Options()) throws -> DatasetPair {
    guard let opener = openers[name] else {
      throw CompressError("there is no data set \"\(name)\"" + Suggestion.text(for: name, among: names))
    }
    guard options.labels == nil || name == "cifar100" else {
      throw CompressError("\"\(name)\" has one kind of labels; fine and coarse are those of \"cifar100\"")
    }
    guard options.folders == nil || name == "imagenette" else {
      throw CompressError("\"\(name)\" is no folder of images; size, short_side and broken are for those")
    }
    let pair = try opener(roots, options)
    guard options.images != ImageOptions() else { return pair }
    return DatasetPair(
      train: try pair.train.converted(options.images), test: try pair.test.converted(options.images))
  }

  /// Where data is looked for: the folder given on the command line, `$COMPRESS_DATA`, and `data` in the user's cache.
  public static func roots(data: String?) -> [String] {
    [data, Folders.environment("COMPRESS_DATA"), Folders.cache.map { $0 + "/data" }].compactMap { $0 }
  }
}
