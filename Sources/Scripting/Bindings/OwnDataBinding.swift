import Datasets
import Diagnostics
import LuaHost

/// Of `data.images`.
enum ImageFolderKeys {
  static var classes: OptionKey<[String]?> {
    .optional("classes", .strings, help: "class folders in the order of their labels; all, by name, by default")
  }

  static var labels: OptionKey<Bool> {
    .init(
      "labels", .boolean, help: "false: all images of the folder and the folders in it, whatever they show",
      standard: true)
  }

  static var crop: OptionKey<Bool> {
    .init(
      "crop", .boolean, help: "false: the whole picture becomes what `resize` or `size` says, nothing is cut off",
      standard: true)
  }

  static var schema: OptionSchema {
    OptionSchema("ImageFolderOptions", [classes, labels, crop] + FolderKeys.all + ImageKeys.all)
  }
}

/// Of `data.noise`.
enum NoiseKeys {
  static var count: OptionKey<Int> {
    .init("count", .integer, help: "samples", standard: 64, minimum: 1, maximum: 0x1p20)
  }
  static var low: OptionKey<Double> { .init("low", .number, help: "the least value", standard: 0) }
  static var high: OptionKey<Double> { .init("high", .number, help: "the greatest value", standard: 1) }
  static var seed: OptionKey<Int> {
    .init("seed", .integer, help: "other samples", standard: 0, minimum: 0, maximum: 0x1p53)
  }

  static var schema: OptionSchema { OptionSchema("NoiseOptions", [count, low, high, seed]) }
}

/// Of labels that are numbers.
enum LabelKeys {
  static var classes: OptionKey<Int?> {
    .optional(
      "classes", .integer, help: "number of classes; one more than the largest label by default", minimum: 1,
      maximum: 0x1p20)
  }
  static var firstLabel: OptionKey<Int> {
    .init("first_label", .integer, help: "what the file calls the first class", standard: 0, minimum: 0, maximum: 1)
  }

  static var all: [any DeclaredOption] { [classes, firstLabel] }
  /// Of `data.idx`.
  static var idxSchema: OptionSchema { OptionSchema("IdxOptions", all + ImageKeys.all) }
}

/// Of `data.numpy`.
enum NumPyKeys {
  static var images: OptionKey<String> {
    .init("images", .string, help: "name of the samples in an .npz", standard: "images")
  }
  static var labels: OptionKey<String> {
    .init("labels", .string, help: "name of the labels in an .npz", standard: "labels")
  }
  static var labelsFile: OptionKey<String?> {
    .optional("labels_file", .string, help: "of an .npy: the file with the labels")
  }

  static var layout: OptionKey<NumPyDataset.Layout> {
    .init(
      "layout", .choice(of: NumPyDataset.Layout.self),
      help: "how samples of three axes lie: hwc, height, width, channels; or chw, channels first", standard: .hwc)
  }

  static var schema: OptionSchema {
    OptionSchema("NumpyOptions", [images, labels, labelsFile, layout] + LabelKeys.all + ImageKeys.all)
  }
}

// Data of one's own: data.images "photos/train", data.numpy "digits.npz", data.idx("images", "labels"), data.noise(model).
extension ScriptSession {
  /// Labels that count from 1 look like those of one class more, of which the first never occurs.
  private func tellUnusedClass(_ name: String, smallest: Int, _ count: Int, _ given: OptionValues) {
    guard given[LabelKeys.firstLabel] == 0, given[LabelKeys.classes] == nil, smallest > 0, count > 0 else { return }
    executor.context.progress.note(
      "\(name): no sample has a label below \(smallest)"
        + (smallest == 1 ? "; if the labels count from 1, say first_label = 1" : ""))
  }

  func defineOwnData() throws {
    try state.define(
      library: "data",
      [
        LuaMember(
          "images", "(folder: string, options?: ImageFolderOptions): Data",
          "JPEG and PNG images, in a folder for each class or without labels."
        ) { [unowned self] arguments in
          try arguments.atMost(2)
          let name = try arguments.string(0), given = try ImageFolderKeys.schema.read(try arguments.optionalTable(1))
          let folder = try ImageFolder(
            name: name, folder: try inputs(name), classes: try given[ImageFolderKeys.classes].map(Self.plainNames),
            hasLabels: given[ImageFolderKeys.labels], options: try pictureOptions(given))
          watch(folder)
          return [.object(try converted(folder, given))]
        },
        LuaMember(
          "numpy", "(file: string, options?: NumpyOptions): Data", "Samples and labels from an .npz, or .npy files."
        ) { [unowned self] arguments in
          try arguments.atMost(2)
          let name = try arguments.string(0), given = try NumPyKeys.schema.read(try arguments.optionalTable(1))
          let file = try inputs(name), single = given[NumPyKeys.labelsFile]
          if name.hasSuffix(".npy"), single == nil {
            throw CompressError("an .npy file holds one array: name the file with the labels, labels_file = \"y.npy\"")
          }
          let samples = NumPyDataset.Source(file: file, member: single == nil ? given[NumPyKeys.images] : nil)
          let labels = NumPyDataset.Source(
            file: try single.map(inputs) ?? file, member: single == nil ? given[NumPyKeys.labels] : nil)
          let data = try NumPyDataset(
            name: name, samples: samples, labels: labels, firstLabel: given[LabelKeys.firstLabel],
            classCount: given[LabelKeys.classes], layout: given[NumPyKeys.layout],
            memory: dataMemory)
          tellUnusedClass(name, smallest: data.smallestLabel, data.count, given)
          return [.object(try converted(data, given))]
        },
        LuaMember(
          "idx", "(images: string, labels: string, options?: IdxOptions): Data",
          "Images and labels from a pair of IDX files."
        ) { [unowned self] arguments in
          try arguments.atMost(3)
          let name = try arguments.string(0), labels = try arguments.string(1)
          let given = try LabelKeys.idxSchema.read(try arguments.optionalTable(2))
          let data = try IDXDataset(
            name: name, images: try inputs(name), labels: try inputs(labels),
            firstLabel: given[LabelKeys.firstLabel], classCount: given[LabelKeys.classes], memory: dataMemory)
          tellUnusedClass(name, smallest: data.smallestLabel, data.count, given)
          return [.object(try converted(data, given))]
        },
        LuaMember(
          "noise", "(model: Model, options?: NoiseOptions): Data",
          "Samples of noise that a model takes, without labels: for calibration where there are no pictures."
        ) { arguments in
          try arguments.atMost(2)
          let shape = try arguments.object(0, ModelObject.self).stage.graph.inputShape
          let given = try NoiseKeys.schema.read(try arguments.optionalTable(1))
          let low = Float(given[NoiseKeys.low]), high = Float(given[NoiseKeys.high])
          guard low < high else { throw CompressError("noise from \(low) to \(high)") }
          return [
            .object(
              DataObject(
                try Noise(
                  shape, count: given[NoiseKeys.count], range: low...high, seed: UInt64(given[NoiseKeys.seed]))))
          ]
        },
      ])
  }

  /// Where nothing is to be cut off, whole pictures get the size at once.
  private func pictureOptions(_ given: OptionValues) throws -> ImageFolder.Options {
    var options = try folderOptions(given)
    guard !given[ImageFolderKeys.crop] else { return options }
    guard options.shortSide == nil else { throw CompressError("short_side is for pictures that are cropped") }
    options.whole = try imageOptions(given).size ?? [options.side, options.side]
    return options
  }

  private func converted(_ data: any Dataset, _ given: OptionValues) throws -> DataObject {
    let options = try imageOptions(given)
    return DataObject(options == ImageOptions() ? data : try data.converted(options))
  }

  /// Names of folders, not ways to elsewhere.
  private static func plainNames(_ names: [String]) throws -> [String] {
    for name in names
    where name.isEmpty || name.containsByte("/") || name.utf8.first == UInt8(ascii: ".")
      || name.containsByte("\0")
    {
      throw CompressError("\"\(name.escapedForTerminal)\" is no name of a class folder")
    }
    guard Set(names).count == names.count else { throw CompressError("a class is named twice") }
    return names
  }

  /// Remembers image folders, to tell what is broken in them.
  func watch(_ data: any Dataset) {
    guard let folder = data.imageFolder else { return }
    folders.append((folder, 0))
    noteBrokenImages()
  }
}
