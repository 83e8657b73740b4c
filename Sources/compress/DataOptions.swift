import ArgumentParser
import Confinement
import Datasets
import Diagnostics
import Files
import Foundation
import Network
import Tensors

/// What commands take that run a model over labelled samples.
struct DataOptions: ParsableArguments {
  @Option(
    name: .customLong("on"),
    help: ArgumentHelp(
      "The data set, as in dataset \"NAME\": its test half, for pack its training half. Or a folder with a folder of "
        + "pictures for each class.",
      valueName: "name"), completion: .samples)
  var name: String?

  @Option(
    name: .customLong("data"),
    help: ArgumentHelp("Folder with data sets (default: $COMPRESS_DATA, then the user's cache).", valueName: "dir"),
    completion: .directory)
  var folder: String?

  @OptionGroup var normalizing: NormalizationOptions

  @Option(parsing: .unconditional, help: "The first so many samples, of a folder so many at random (default: all).")
  var images: Int?

  /// What is to be read for it.
  var readable: [String] { Rights.data(folder) + [name].compactMap { $0 }.filter(Folders.exists) }

  /// The samples, as the model takes them.
  ///
  /// - Parameters:
  ///   - training: whether it is the training half of a data set with halves.
  ///   - note: is told what was assumed.
  /// - Throws: `CompressError` when there is no such data, or the network cannot take it.
  func open(for model: Model, training: Bool = false, note: (String) -> Void) throws -> any Dataset {
    if name != nil { try Folders.checkData(folder) }
    let shape = model.graph.inputShape, known = model.signature.preprocessing
    let normalization = try normalization(known, note)
    var data =
      if let (name, roots) = catalogued { try Self.catalogued(name, roots, shape, known, training) } else {
        try Self.pictures(in: try pictureFolder(), model, known, note: note)
      }
    var images = ImageOptions()
    if shape.rank == 3, data.sampleShape.rank == 3, data.sampleShape != shape {
      images.size = [shape[0], shape[1]]
      images.channels = shape[2]
      note("samples of shape \(data.sampleShape) are made the \(shape) that the network takes")
    }
    images.normalization = normalization
    if images != ImageOptions() { data = try data.converted(images) }
    guard let count = self.images else { return data }
    guard (1...data.count).contains(count) else {
      throw CompressError("--images \(count): \"\(data.name)\" has \(data.count) samples")
    }
    // Those of a folder come class by class: the first would be of few classes.
    return catalogued == nil ? try data.sampled(count, seed: 0) : try data.taking(count)
  }

  private func normalization(_ known: Preprocessing?, _ note: (String) -> Void) throws -> Normalization {
    if let chosen = try normalizing.chosen() { return chosen }
    if let known { return Normalization(known) }
    note("the model does not say how pixels are normalized: they are numbers from 0 to 1; otherwise --normalize NAME")
    return Normalization()
  }

  /// A data set's name and where it may lie. A folder that is called like one is meant by a path with a `/`;
  /// `--data NAME` is understood, too.
  private var catalogued: (name: String, roots: [String])? {
    if let name {
      let isKnown = DatasetCatalog.names.contains(name)
      return isKnown || !Folders.exists(name) ? (name, DatasetCatalog.roots(data: folder)) : nil
    }
    guard let folder, !Folders.exists(folder) else { return nil }
    return (folder, DatasetCatalog.roots(data: nil))
  }

  private func pictureFolder() throws -> String {
    if let name { return name }
    guard let folder else {
      throw CompressError(
        "which data?",
        hint: "--on NAME, one of \(DatasetCatalog.names.joined(separator: ", ")), or --on FOLDER of pictures")
    }
    return folder
  }

  private static func catalogued(
    _ name: String, _ roots: [String], _ shape: Shape, _ known: Preprocessing?, _ training: Bool
  ) throws -> any Dataset {
    var options = DatasetCatalog.Options()
    // Cut out of the photographs as large as the network wants them.
    if name == "imagenette", shape.rank == 3 { options.folders = folderOptions(shape, known) }
    let halves = try DatasetCatalog.open(name, roots: roots, options: options)
    return training ? halves.train : halves.test
  }

  private static func folderOptions(_ shape: Shape, _ known: Preprocessing?) -> ImageFolder.Options {
    var options = ImageFolder.Options()
    options.side = known?.crop?.side ?? min(shape[0], shape[1])
    options.shortSide = known?.crop?.shortSide
    return options
  }

  /// Labels are the model's own where its classes have the folders' names.
  private static func pictures(
    in folder: String, _ model: Model, _ known: Preprocessing?, note: (String) -> Void
  ) throws -> any Dataset {
    let shape = model.graph.inputShape
    guard shape.rank == 3, [1, 3].contains(shape[2]) else {
      throw CompressError("the network takes values of shape \(shape), no pictures").at(file: folder)
    }
    let found = try ImageFolder.folders(in: folder)
    guard !found.isEmpty else {
      throw CompressError("has no folders: pictures lie in one folder for each class", kind: .input).at(file: folder)
    }
    var classes: [String]?
    if let names = model.signature.classes {
      let unknown = found.filter { !names.contains($0) }
      if unknown.isEmpty {
        classes = names
      } else if unknown.count < found.count {
        throw CompressError(
          "the model has no class \"\(unknown[0].escapedForTerminal)\""
            + Suggestion.text(for: unknown[0], among: names),
          kind: .input
        ).at(file: folder)
      } else {
        note(
          "none of the folders is called as a class of the model is: they are its classes in the order of their names")
      }
    }
    var options = ImageFolder.Options()
    if let crop = known?.crop {
      options.side = crop.side
      options.shortSide = crop.shortSide
    } else {
      options.whole = [shape[0], shape[1]]
    }
    return try ImageFolder(
      name: URL(fileURLWithPath: folder).lastPathComponent, folder: folder, classes: classes, mayLack: classes != nil,
      options: options)
  }
}
