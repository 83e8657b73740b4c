import Datasets
import Diagnostics
import LuaHost

// Data of one's own: data.images "photos/train", data.numpy "digits.npz", data.idx("images", "labels").
extension ScriptSession {
  static var imageFolderSchema: OptionSchema {
    OptionSchema(
      "ImageFolderOptions",
      [
        .init(
          name: "classes", type: .strings, help: "class folders in the order of their labels; all, by name, by default")
      ] + folderOptions + imageOptions)
  }

  static var numpySchema: OptionSchema {
    OptionSchema(
      "NumpyOptions",
      [
        .init(name: "images", type: .string, help: "name of the samples in an .npz", standard: .string("images")),
        .init(name: "labels", type: .string, help: "name of the labels in an .npz", standard: .string("labels")),
        .init(name: "labels_file", type: .string, help: "of an .npy: the file with the labels"),
        classCount, firstLabel,
      ] + imageOptions)
  }

  static var idxSchema: OptionSchema { OptionSchema("IdxOptions", [classCount, firstLabel] + imageOptions) }

  private static var classCount: OptionSchema.Option {
    .init(
      name: "classes", type: .integer, help: "number of classes; one more than the largest label by default",
      minimum: 1,
      maximum: 0x1p20)
  }

  private static var firstLabel: OptionSchema.Option {
    .init(
      name: "first_label", type: .integer, help: "what the file calls the first class", standard: .integer(0),
      minimum: 0,
      maximum: 1)
  }

  /// Labels that count from 1 look like those of one class more, of which the first never occurs.
  private func tellUnusedClass(_ name: String, smallest: Int, _ count: Int, _ given: OptionValues) {
    guard given.integer("first_label") == 0, given["classes"] == nil, smallest > 0, count > 0 else { return }
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
          "JPEG and PNG images, in a folder for each class."
        ) { [unowned self] arguments in
          try arguments.atMost(2)
          let name = try arguments.string(0), given = try Self.imageFolderSchema.read(try arguments.optionalTable(1))
          let folder = try ImageFolder(
            name: name, folder: try inputs(name), classes: try given.strings("classes").map(Self.plainNames),
            options: try folderOptions(given))
          watch(folder)
          return [.object(try converted(folder, given))]
        },
        LuaMember(
          "numpy", "(file: string, options?: NumpyOptions): Data", "Samples and labels from an .npz, or .npy files."
        ) { [unowned self] arguments in
          try arguments.atMost(2)
          let name = try arguments.string(0), given = try Self.numpySchema.read(try arguments.optionalTable(1))
          let file = try inputs(name), single = given.string("labels_file")
          if name.hasSuffix(".npy"), single == nil {
            throw CompressError("an .npy file holds one array: name the file with the labels, labels_file = \"y.npy\"")
          }
          let samples = NumPyDataset.Source(file: file, member: single == nil ? given.string("images") : nil)
          let labels = NumPyDataset.Source(
            file: try single.map(inputs) ?? file, member: single == nil ? given.string("labels") : nil)
          let data = try NumPyDataset(
            name: name, samples: samples, labels: labels, firstLabel: given.integer("first_label") ?? 0,
            classCount: given.integer("classes"), memory: dataMemory)
          tellUnusedClass(name, smallest: data.smallestLabel, data.count, given)
          return [.object(try converted(data, given))]
        },
        LuaMember(
          "idx", "(images: string, labels: string, options?: IdxOptions): Data",
          "Images and labels from a pair of IDX files."
        ) { [unowned self] arguments in
          try arguments.atMost(3)
          let name = try arguments.string(0), labels = try arguments.string(1)
          let given = try Self.idxSchema.read(try arguments.optionalTable(2))
          let data = try IDXDataset(
            name: name, images: try inputs(name), labels: try inputs(labels),
            firstLabel: given.integer("first_label") ?? 0, classCount: given.integer("classes"), memory: dataMemory)
          tellUnusedClass(name, smallest: data.smallestLabel, data.count, given)
          return [.object(try converted(data, given))]
        },
      ])
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
