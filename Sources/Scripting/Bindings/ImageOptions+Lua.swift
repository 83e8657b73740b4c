import Datasets
import Diagnostics

/// Of `normalize` with numbers of one's own.
enum NormalizationKeys {
  static var mean: OptionKey<[Double]> {
    .required("mean", .numbers, help: "of each channel, or one for all; of pixels from 0 to 1")
  }
  static var std: OptionKey<[Double]> { .required("std", .numbers, help: "standard deviations") }

  static var schema: OptionSchema { OptionSchema("NormalizationOptions", [mean, std]) }
}

/// Of every data set.
enum ImageKeys {
  static var normalize: OptionKey<OptionValue?> {
    .optional(
      "normalize", .any(.either(.choice(Normalization.named.keys.sorted()), .table(NormalizationKeys.schema))),
      help: "(pixel - mean) / std, by the numbers of a data set or your own")
  }
  static var scale: OptionKey<Double?> {
    .optional("scale", .number, help: "pixels from 0 to this; 1 by default, 255 leaves bytes what they are")
  }
  static var resize: OptionKey<OptionValue?> {
    .optional(
      "resize", .any(.either(.integer, .numbers)), help: "side, or { height, width }; bilinear", minimum: 1,
      maximum: 4096)
  }
  static var channels: OptionKey<Int?> {
    .optional("channels", .integer, help: "1 (grey) or 3 (colour)", minimum: 1, maximum: 3)
  }

  static var all: [any DeclaredOption] { [normalize, scale, resize, channels] }
  static var schema: OptionSchema { OptionSchema("ImageOptions", all) }
}

/// Of image folders.
enum FolderKeys {
  static var size: OptionKey<Int?> {
    .optional(
      "size", .integer, help: "of image folders: side of the square cut out of the middle; 224 by default", minimum: 1,
      maximum: 4096)
  }
  static var shortSide: OptionKey<Int?> {
    .optional(
      "short_side", .integer,
      help: "of image folders: pixels of the shorter side before that; 256 for each 224 of size by default",
      minimum: 1, maximum: 4096)
  }
  static var broken: OptionKey<BrokenImagePolicy?> {
    .optional(
      "broken", .choice(of: BrokenImagePolicy.self),
      help: "of image folders: whether an image that cannot be read is an error (the default) or left out")
  }

  static var all: [any DeclaredOption] { [size, shortSide, broken] }
}

/// Of `dataset`.
enum DatasetKeys {
  static var labels: OptionKey<DatasetCatalog.Labels?> {
    .optional(
      "labels", .choice(of: DatasetCatalog.Labels.self),
      help: "of cifar100: its 100 classes (fine, the default) or their 20 groups")
  }

  static var schema: OptionSchema {
    OptionSchema("DatasetOptions", ImageKeys.all + FolderKeys.all + [labels])
  }
}

/// Of `data:augment`.
enum AugmentKeys {
  static var padCrop: OptionKey<Int> {
    .init(
      "pad_crop", .integer, help: "pixels of black around the image, which is then cropped at random", standard: 0,
      minimum: 0, maximum: 4096)
  }
  static var flip: OptionKey<Bool> { .init("flip", .boolean, help: "mirrors every other image", standard: false) }
  static var brightness: OptionKey<Double> { factor("brightness") }
  static var contrast: OptionKey<Double> { factor("contrast") }
  static var saturation: OptionKey<Double> { factor("saturation") }
  static var cutout: OptionKey<Int> {
    .init(
      "cutout", .integer, help: "side of a square that becomes 0 after normalization", standard: 0, minimum: 0,
      maximum: 4096)
  }
  static var seed: OptionKey<Int?> { .optional("seed", .integer, help: "the run's own by default") }

  private static func factor(_ name: String) -> OptionKey<Double> {
    .init(name, .ratio, help: "a factor from 1 - x to 1 + x", standard: 0)
  }

  static var schema: OptionSchema {
    OptionSchema(
      "AugmentOptions",
      [
        padCrop, flip, brightness, contrast, saturation, cutout, seed,
      ])
  }
}

extension ScriptSession {
  func folderOptions(_ given: OptionValues) throws -> ImageFolder.Options {
    var options = ImageFolder.Options()
    if let side = given[FolderKeys.size] { options.side = side }
    options.shortSide = given[FolderKeys.shortSide]
    if let broken = given[FolderKeys.broken] { options.broken = broken }
    return options
  }

  /// - Throws: `CompressError` when they contradict each other.
  func imageOptions(_ given: OptionValues) throws -> ImageOptions {
    var options = ImageOptions()
    switch given[ImageKeys.resize] {
    case .integer(let side): options.size = [side, side]
    case .numbers(let sides): options.size = sides.map { Int(exactly: $0) ?? 0 }
    default: break
    }
    options.channels = given[ImageKeys.channels]
    switch (given[ImageKeys.normalize], given[ImageKeys.scale]) {
    case (nil, nil): break
    case (.some, .some):
      throw CompressError("normalize works on pixels from 0 to 1: give a scale or normalize, not both")
    case (nil, let scale?): options.normalization = try Normalization(scale: Float(scale))
    case (.string(let name)?, nil):
      guard let known = Normalization.named[name] else { throw CompressError("there are no numbers of \"\(name)\"") }
      options.normalization = known
    case (.options(let own)?, nil):
      options.normalization = try Normalization(
        mean: own[NormalizationKeys.mean].map { Float($0) },
        deviation: own[NormalizationKeys.std].map { Float($0) })
    case (.some, nil): break
    }
    return options
  }
}

extension ScriptSession {
  func augmentation(_ given: OptionValues) -> Augmentation {
    var result = Augmentation()
    result.padCrop = given[AugmentKeys.padCrop]
    result.flip = given[AugmentKeys.flip]
    result.brightness = Float(given[AugmentKeys.brightness])
    result.contrast = Float(given[AugmentKeys.contrast])
    result.saturation = Float(given[AugmentKeys.saturation])
    result.cutout = given[AugmentKeys.cutout]
    result.seed = seed(given[AugmentKeys.seed])
    return result
  }
}
