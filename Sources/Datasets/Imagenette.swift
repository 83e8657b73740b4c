import Diagnostics
import Files

/// Imagenette, and what is laid out like it: `train/` and `val/`, each with a folder for each class, named by its
/// WordNet number.
enum Imagenette {
  private static let folders = ["imagenette", "imagenette2", "imagenette2-320", "imagenette2-160"]

  /// - Throws: `CompressError` when no place has both parts, or one of them has no images of a class.
  static func open(roots: [String], _ options: ImageFolder.Options) throws -> DatasetPair {
    let places = roots.flatMap { root in folders.map { "\(root)/\($0)" } }
    guard let place = places.first(where: { Folders.exists($0 + "/train") && Folders.exists($0 + "/val") }) else {
      throw CompressError(
        "the folders train and val of \"imagenette\" were not found; looked in "
          + (places.isEmpty ? "no folder at all" : places.joined(separator: ", ")), kind: .input,
        hint:
          "unpack imagenette2-160.tgz, imagenette2-320.tgz or imagenette2.tgz into a folder and name that with --data "
          + "or $COMPRESS_DATA")
    }
    let train = try ImageFolder(name: "imagenette.train", folder: place + "/train", options: options)
    // Labels count the classes of the training images.
    let test = try ImageFolder(
      name: "imagenette.val", folder: place + "/val", classes: train.classes, options: options)
    return DatasetPair(train: train, test: test)
  }
}
