/// MNIST, and data sets published in the same four IDX files: 10 classes of 28x28 grey images.
enum MNIST {
  /// - Throws: `CompressError` when no place has all four files, or the first that has them holds broken ones.
  static func open(
    _ name: String, folders: [String], classNames: [String], roots: [String], memory: DataMemory
  ) throws -> DatasetPair {
    let paths = try DatasetFiles(name: name, folders: folders, files: files, isPublished: true).find(under: roots)
    return DatasetPair(
      train: try IDXDataset(
        name: "\(name).train", images: paths[0], labels: paths[1], classCount: 10, classNames: classNames,
        memory: memory),
      test: try IDXDataset(
        name: "\(name).test", images: paths[2], labels: paths[3], classCount: 10, classNames: classNames,
        memory: memory))
  }

  static let digits = (0...9).map(String.init)
  /// As its authors list them.
  static let fashion = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
  ]

  private static let files = [
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
  ]
}
