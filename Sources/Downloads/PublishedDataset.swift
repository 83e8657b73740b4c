import Diagnostics
import Files

/// A data set that can be fetched: its files, and where they are.
public struct PublishedDataset: Sendable {
  public let name: String
  /// What it is, in one line.
  public let summary: String
  /// Folders on the network that hold the files, the preferred one first.
  public let mirrors: [String]
  /// What is fetched.
  public let files: [PublishedFile]
  /// Set when `files` is one gzipped tar archive: the files in it that are kept, unpacked.
  public let members: [TarMember]

  /// A file in an archive.
  public struct TarMember: Sendable {
    /// With its folders.
    public let path: String
    public let bytes: Int
    /// What it is called here.
    public var name: String { String(path.split(separator: "/").last ?? "") }
  }

  /// All there are, in alphabetical order.
  public static let all: [PublishedDataset] = [cifar10, fashionMNIST, mnist]

  /// - Throws: `CompressError` with the nearest name when there is none of that name.
  public static func named(_ name: String) throws -> PublishedDataset {
    guard let found = all.first(where: { $0.name == name }) else {
      throw CompressError(
        "there is no data set \"\(name)\" to fetch" + Suggestion.text(for: name, among: all.map(\.name)))
    }
    return found
  }

  private static let mnist = PublishedDataset(
    name: "mnist", summary: "handwritten digits, 28x28 grey, 60,000 and 10,000",
    mirrors: ["https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist"],
    files: [
      PublishedFile(
        "train-images-idx3-ubyte.gz", bytes: 9_912_422,
        sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
      PublishedFile(
        "train-labels-idx1-ubyte.gz", bytes: 28_881,
        sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
      PublishedFile(
        "t10k-images-idx3-ubyte.gz", bytes: 1_648_877,
        sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
      PublishedFile(
        "t10k-labels-idx1-ubyte.gz", bytes: 4_542,
        sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ], members: [])

  private static let fashionMNIST = PublishedDataset(
    name: "fashion_mnist", summary: "clothes, 28x28 grey, 60,000 and 10,000",
    mirrors: [
      "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    ],
    files: [
      PublishedFile(
        "train-images-idx3-ubyte.gz", bytes: 26_421_880,
        sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
      PublishedFile(
        "train-labels-idx1-ubyte.gz", bytes: 29_515,
        sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
      PublishedFile(
        "t10k-images-idx3-ubyte.gz", bytes: 4_422_102,
        sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
      PublishedFile(
        "t10k-labels-idx1-ubyte.gz", bytes: 5_148,
        sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ], members: [])

  private static let cifar10 = PublishedDataset(
    name: "cifar10", summary: "photographs of ten kinds, 32x32 colour, 50,000 and 10,000",
    mirrors: ["https://www.cs.toronto.edu/~kriz"],
    files: [
      PublishedFile(
        "cifar-10-binary.tar.gz", bytes: 170_052_171,
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd")
    ],
    members: ((1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"]).map {
      TarMember(path: "cifar-10-batches-bin/\($0)", bytes: 10_000 * 3073)
    })
}
