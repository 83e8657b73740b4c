import Diagnostics
import LuaHost
import Network
import Pipeline

// What a model's input and output mean: model:classes(), model:preprocessing(), describe(model, { classes = {…} }).
extension ScriptSession {
  static var describeSchema: OptionSchema {
    OptionSchema(
      "DescribeOptions",
      [
        .init(name: "classes", type: .strings, help: "names of the classes, one for each score of the first output"),
        .init(
          name: "preprocessing", type: .table(preprocessingSchema),
          help: "how a picture becomes what the network takes"),
      ])
  }

  static var preprocessingSchema: OptionSchema {
    OptionSchema(
      "PreprocessingOptions",
      [
        .init(name: "scale", type: .number, help: "pixels from 0 to this before mean and std; 1 by default"),
        .init(name: "mean", type: .numbers, help: "of each channel, or one for all; 0 by default"),
        .init(name: "std", type: .numbers, help: "standard deviations; 1 by default"),
        .init(name: "crop", type: .table(cropSchema), help: "cut out before resizing; the whole picture by default"),
      ])
  }

  static var cropSchema: OptionSchema {
    OptionSchema(
      "CropOptions",
      [
        .init(
          name: "short_side", type: .integer, help: "pixels of the shorter side before", isRequired: true, minimum: 1,
          maximum: Double(Preprocessing.largestSide)),
        .init(
          name: "size", type: .integer, help: "side of the square cut out of the middle", isRequired: true, minimum: 1,
          maximum: Double(Preprocessing.largestSide)),
      ])
  }

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
      let given = try Self.describeSchema.read(try arguments.table(1))
      let signature = try ModelSignature(
        classes: given.strings("classes"),
        preprocessing: given.options("preprocessing").map { try Self.preprocessing($0, of: model.stage.graph) })
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
      crop: given.options("crop").map {
        try Preprocessing.Crop(shortSide: $0.integer("short_side")!, side: $0.integer("size")!)
      },
      height: image[0], width: image[1], channels: channels, scale: given.number("scale").map { Float($0) } ?? 1,
      mean: given.numbers("mean")?.map { Float($0) } ?? [0],
      deviation: given.numbers("std")?.map { Float($0) } ?? [1])
  }
}
