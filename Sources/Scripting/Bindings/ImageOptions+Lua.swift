import Datasets
import Diagnostics

extension ScriptSession {
  private static var normalizationSchema: OptionSchema {
    OptionSchema(
      "NormalizationOptions",
      [
        .init(
          name: "mean", type: .numbers, help: "of each channel, or one for all; of pixels from 0 to 1", isRequired: true
        ),
        .init(name: "std", type: .numbers, help: "standard deviations", isRequired: true),
      ])
  }

  static var imageOptions: [OptionSchema.Option] {
    [
      .init(
        name: "normalize",
        type: .either(.choice(Normalization.named.keys.sorted()), .table(normalizationSchema)),
        help: "(pixel - mean) / std, by the numbers of a data set or your own"),
      .init(name: "scale", type: .number, help: "pixels from 0 to this; 1 by default, 255 leaves bytes what they are"),
      .init(
        name: "resize", type: .either(.integer, .numbers), help: "side, or { height, width }; bilinear", minimum: 1,
        maximum: 4096),
      .init(name: "channels", type: .integer, help: "1 (grey) or 3 (colour)", minimum: 1, maximum: 3),
    ]
  }

  static var imageSchema: OptionSchema { OptionSchema("ImageOptions", imageOptions) }

  static var datasetSchema: OptionSchema {
    OptionSchema(
      "DatasetOptions",
      imageOptions + folderOptions + [
        .init(
          name: "labels", type: .choice(DatasetCatalog.Labels.allCases.map(\.rawValue)),
          help: "of cifar100: its 100 classes (fine, the default) or their 20 groups")
      ])
  }

  /// Of image folders.
  static var folderOptions: [OptionSchema.Option] {
    [
      .init(
        name: "size", type: .integer,
        help: "of image folders: side of the square cut out of the middle; 224 by default",
        minimum: 1, maximum: 4096),
      .init(
        name: "short_side", type: .integer,
        help: "of image folders: pixels of the shorter side before that; 256 for each 224 of size by default",
        minimum: 1, maximum: 4096),
      .init(
        name: "broken", type: .choice(BrokenImagePolicy.allCases.map(\.rawValue)),
        help: "of image folders: whether an image that cannot be read is an error (the default) or left out"),
    ]
  }

  func folderOptions(_ given: OptionValues) throws -> ImageFolder.Options {
    var options = ImageFolder.Options()
    if let side = given.integer("size") { options.side = side }
    options.shortSide = given.integer("short_side")
    if let broken = given.string("broken") { options.broken = BrokenImagePolicy(rawValue: broken)! }
    return options
  }

  /// - Throws: `CompressError` when they contradict each other.
  func imageOptions(_ given: OptionValues) throws -> ImageOptions {
    var options = ImageOptions()
    switch given["resize"] {
    case .integer(let side): options.size = [side, side]
    case .numbers(let sides): options.size = sides.map { Int(exactly: $0) ?? 0 }
    default: break
    }
    options.channels = given.integer("channels")
    switch (given["normalize"], given.number("scale")) {
    case (nil, nil): break
    case (.some, .some):
      throw CompressError("normalize works on pixels from 0 to 1: give a scale or normalize, not both")
    case (nil, let scale?): options.normalization = try Normalization(scale: Float(scale))
    case (.string(let name)?, nil): options.normalization = Normalization.named[name]!
    case (.options(let own)?, nil):
      options.normalization = try Normalization(mean: own.floats("mean"), deviation: own.floats("std"))
    case (.some, nil): break
    }
    return options
  }
}

extension ScriptSession {
  static var augmentSchema: OptionSchema {
    func number(_ name: String) -> OptionSchema.Option {
      .init(name: name, type: .ratio, help: "a factor from 1 - x to 1 + x", standard: .number(0))
    }
    return OptionSchema(
      "AugmentOptions",
      [
        .init(
          name: "pad_crop", type: .integer, help: "pixels of black around the image, which is then cropped at random",
          standard: .integer(0), minimum: 0, maximum: 4096),
        .init(name: "flip", type: .boolean, help: "mirrors every other image", standard: .bool(false)),
        number("brightness"), number("contrast"), number("saturation"),
        .init(
          name: "cutout", type: .integer, help: "side of a square that becomes 0 after normalization",
          standard: .integer(0), minimum: 0, maximum: 4096),
        .init(name: "seed", type: .integer, help: "the run's own by default"),
      ])
  }

  func augmentation(_ given: OptionValues) -> Augmentation {
    var result = Augmentation()
    result.padCrop = given.integer("pad_crop")!
    result.flip = given.bool("flip")!
    result.brightness = Float(given.number("brightness")!)
    result.contrast = Float(given.number("contrast")!)
    result.saturation = Float(given.number("saturation")!)
    result.cutout = given.integer("cutout")!
    result.seed = given.integer("seed").map { UInt64(bitPattern: Int64($0)) } ?? options.seed
    return result
  }
}

extension OptionValues {
  fileprivate func floats(_ name: String) -> [Float] {
    if case .numbers(let values)? = self[name] { values.map { Float($0) } } else { [] }
  }
}
