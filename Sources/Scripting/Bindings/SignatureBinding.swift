import Diagnostics
import LuaHost
import Network
import Pipeline

/// Of `describe`.
enum DescribeKeys {
  static var classes: OptionKey<[String]?> {
    .optional("classes", .strings, help: "names of the classes, one for each score of the first output")
  }
  static var preprocessing: OptionKey<OptionValues?> {
    .optional("preprocessing", .table(PreprocessingKeys.schema), help: "how a picture becomes what the network takes")
  }

  static var schema: OptionSchema { OptionSchema("DescribeOptions", [classes, preprocessing]) }
}

/// What is done to a picture.
enum PreprocessingKeys {
  static var scale: OptionKey<Double?> {
    .optional("scale", .number, help: "pixels from 0 to this before mean and std; 1 by default")
  }
  static var mean: OptionKey<[Double]?> {
    .optional("mean", .numbers, help: "of each channel, or one for all; 0 by default")
  }
  static var std: OptionKey<[Double]?> { .optional("std", .numbers, help: "standard deviations; 1 by default") }
  static var crop: OptionKey<OptionValues?> {
    .optional("crop", .table(CropKeys.schema), help: "cut out before resizing; the whole picture by default")
  }

  static var schema: OptionSchema { OptionSchema("PreprocessingOptions", [scale, mean, std, crop]) }
}

/// What is cut out of it.
enum CropKeys {
  static var shortSide: OptionKey<Int> {
    .required(
      "short_side", .integer, help: "pixels of the shorter side before", minimum: 1,
      maximum: Double(Preprocessing.largestSide))
  }
  static var size: OptionKey<Int> {
    .required(
      "size", .integer, help: "side of the square cut out of the middle", minimum: 1,
      maximum: Double(Preprocessing.largestSide))
  }

  static var schema: OptionSchema { OptionSchema("CropOptions", [shortSide, size]) }
}

// What a model's input and output mean: model:classes(), model:preprocessing(), describe(model, { classes = {…} }).
extension ScriptSession {
  func defineSignature(_ model: LuaClass<ModelObject>) {
    model.method("classes", "(): string[]?", "Names of the classes, if they are known.") { [unowned self] model, _ in
      guard let names = model.stage.signature.classes else { return [.nil] }
      return [.table(try state.makeTable(names.map { .string($0) }))]
    }
    model.method(
      "preprocessing",
      "(): { size: integer[], channels: string, layout: string, scale: number, mean: number[], std: number[], "
        + "crop: { short_side: integer, size: integer }? }?",
      "How a picture becomes what the network takes, if that is known."
    ) { [unowned self] model, _ in
      guard let known = model.stage.signature.preprocessing else { return [.nil] }
      func list(_ values: [Float]) throws -> LuaValue {
        .table(try state.makeTable(values.map { .number(Double($0)) }))
      }
      let crop = try known.crop.map {
        try state.makeTable(fields: ["short_side": .integer($0.shortSide), "size": .integer($0.side)])
      }
      return [
        .table(
          try state.makeTable(fields: [
            "size": .table(try state.list([known.height, known.width])), "channels": .string(known.channels.rawValue),
            "layout": .string(known.layout.rawValue), "scale": .number(Double(known.scale)),
            "mean": try list(known.mean), "std": try list(known.deviation),
            "crop": crop.map { .table($0) } ?? .nil,
          ]))
      ]
    }
  }

  func defineDescribing() {
    state.define(
      "describe", "(model: Model, options: DescribeOptions): Model",
      "The same model with names for its classes, or with what is done to pictures before."
    ) { [unowned self] arguments in
      try arguments.atMost(2)
      let model = try arguments.object(0, ModelObject.self)
      let given = try DescribeKeys.schema.read(try arguments.table(1))
      let signature = try ModelSignature(
        classes: given[DescribeKeys.classes],
        preprocessing: given[DescribeKeys.preprocessing].map { try Self.preprocessing($0, of: model.stage.graph) })
      return [.object(ModelObject(try record(DescribeStage(signature), [model.stage]), name: model.name))]
    }
  }

  /// Of the images that the network takes.
  private static func preprocessing(_ given: OptionValues, of graph: Graph) throws -> Preprocessing {
    let image = graph.inputShape
    guard image.rank == 3, let channels = Preprocessing.Channels.allCases.first(where: { $0.count == image[2] }) else {
      throw CompressError("preprocessing is for grey and colour images, and the network takes \(image)")
    }
    return try Preprocessing(
      crop: given[PreprocessingKeys.crop].map {
        try Preprocessing.Crop(shortSide: $0[CropKeys.shortSide], side: $0[CropKeys.size])
      },
      height: image[0], width: image[1], channels: channels,
      scale: given[PreprocessingKeys.scale].map { Float($0) } ?? 1,
      mean: given[PreprocessingKeys.mean]?.map { Float($0) } ?? [0],
      deviation: given[PreprocessingKeys.std]?.map { Float($0) } ?? [1])
  }
}
