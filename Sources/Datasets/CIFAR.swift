/// CIFAR-10 and CIFAR-100 (Krizhevsky 2009) in the binary version: 32x32 colour images.
enum CIFAR {
  /// - Throws: `CompressError` when no place has all the files, or the first that has them holds broken ones.
  static func open10(roots: [String], memory: DataMemory) throws -> DatasetPair {
    let paths = try DatasetFiles(
      name: "cifar10", folders: ["cifar10", "cifar-10-batches-bin", "cifar10/cifar-10-batches-bin"],
      files: (1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"], isPublished: true
    ).find(under: roots)
    let layout = CIFARLayout(labelBytes: 1, label: 0, classCount: 10)
    return DatasetPair(
      train: try CIFARDataset(
        name: "cifar10.train", files: Array(paths.prefix(5)), layout: layout, classNames: names10, memory: memory),
      test: try CIFARDataset(
        name: "cifar10.test", files: [paths[5]], layout: layout, classNames: names10, memory: memory))
  }

  /// As `batches.meta.txt` has them.
  private static let names10 = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  /// - Throws: `CompressError` as `open10` does.
  static func open100(_ labels: DatasetCatalog.Labels, roots: [String], memory: DataMemory) throws -> DatasetPair {
    let paths = try DatasetFiles(
      name: "cifar100", folders: ["cifar100", "cifar-100-binary", "cifar100/cifar-100-binary"],
      files: ["train.bin", "test.bin"]
    ).find(under: roots)
    let layout = CIFARLayout(labelBytes: 2, label: labels == .coarse ? 0 : 1, classCount: labels == .coarse ? 20 : 100)
    return DatasetPair(
      train: try CIFARDataset(name: "cifar100.train", files: [paths[0]], layout: layout, memory: memory),
      test: try CIFARDataset(name: "cifar100.test", files: [paths[1]], layout: layout, memory: memory))
  }
}
