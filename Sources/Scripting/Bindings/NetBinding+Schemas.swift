import Network

extension ScriptSession {
  static var netSchemas: [OptionSchema] {
    [
      layerSchema, convSchema, transposedSchema, depthwiseSchema, denseSchema, batchNormSchema, poolSchema, averagePoolSchema,
      containerSchema, residualSchema, constantSchema, matmulSchema,
      keepSchema, normSchema, orderSchema, resizeSchema, modelSchema,
    ]
  }

  /// Those whose tables also list blocks.
  static let listSchemas: Set<String> = ["Blocks", "ResidualBlocks", "NetworkDefinition"]

  private static var name: OptionSchema.Option {
    .init(name: "name", type: .string, help: "of the layer, in tables and files")
  }
  private static var bias: OptionSchema.Option {
    .init(name: "bias", type: .boolean, help: "whether it has one", standard: .bool(true))
  }
  private static var size: OptionType { .either(.integer, .numbers) }
  private static var stride: OptionSchema.Option {
    .init(name: "stride", type: size, help: "one number, or {height, width}")
  }
  private static var padding: OptionSchema.Option {
    .init(
      name: "padding", type: .either(.choice(["same", "valid"]), size),
      help: "pixels of zeros: on every side, {height, width} or {top, left, bottom, right}")
  }
  private static var dilation: OptionSchema.Option {
    .init(name: "dilation", type: size)
  }

  static var layerSchema: OptionSchema { OptionSchema("LayerOptions", [name]) }

  static var convSchema: OptionSchema {
    OptionSchema(
      "ConvOptions",
      [
        stride, padding, dilation,
        .init(name: "groups", type: .integer, standard: .integer(1), minimum: 1, maximum: 0x1p20), bias, name,
      ])
  }

  static var transposedSchema: OptionSchema {
    OptionSchema(
      "TransposedOptions",
      [
        stride,
        .init(name: "padding", type: size, help: "pixels taken away on every side, or {height, width}"),
        .init(name: "output_padding", type: size, help: "rows and columns more at bottom and right"),
        .init(name: "groups", type: .integer, standard: .integer(1), minimum: 1, maximum: 0x1p20), bias, name,
      ])
  }

  static var depthwiseSchema: OptionSchema {
    OptionSchema(
      "DepthwiseOptions",
      [
        stride, padding, dilation,
        .init(
          name: "multiplier", type: .integer, help: "filters for each channel", standard: .integer(1), minimum: 1,
          maximum: 1024),
        bias, name,
      ])
  }

  static var denseSchema: OptionSchema { OptionSchema("DenseOptions", [bias, name]) }

  static var batchNormSchema: OptionSchema {
    OptionSchema(
      "BatchNormOptions",
      [
        .init(name: "epsilon", type: .number, standard: .number(1e-5), minimum: 0, maximum: 1),
        .init(
          name: "momentum", type: .number, help: "share of the running statistics that a step keeps",
          standard: .number(0.9), minimum: 0, maximum: 1),
        name,
      ])
  }

  static var poolSchema: OptionSchema { OptionSchema("PoolOptions", [stride, padding, name]) }

  static var averagePoolSchema: OptionSchema {
    OptionSchema(
      "AveragePoolOptions",
      [
        stride, padding,
        .init(
          name: "counts_padding", type: .boolean, help: "whether padding counts as zeros in the mean",
          standard: .bool(false)),
        name,
      ])
  }

  private static var prefix: OptionSchema.Option {
    .init(name: "name", type: .string, help: "comes before the names of the layers inside: name.conv_1")
  }

  static var containerSchema: OptionSchema { OptionSchema("Blocks", [prefix]) }

  static var residualSchema: OptionSchema {
    OptionSchema(
      "ResidualBlocks",
      [
        .init(
          name: "shortcut", type: .block, help: "what the input goes through before it is added; false for nothing"),
        prefix,
      ])
  }

  static var matmulSchema: OptionSchema {
    OptionSchema(
      "MatMulOptions",
      [
        .init(
          name: "transposed", type: .boolean, help: "whether the second is given by columns: {n, k} for {k, n}",
          standard: .bool(false)),
        name,
      ])
  }

  static var keepSchema: OptionSchema {
    OptionSchema(
      "ReduceOptions",
      [
        .init(
          name: "keep", type: .boolean, help: "whether the axes stay, with one element each", standard: .bool(false)),
        name,
      ])
  }

  static var normSchema: OptionSchema {
    OptionSchema(
      "NormOptions",
      [
        .init(name: "epsilon", type: .number, standard: .number(1e-5), minimum: 0, maximum: 1),
        .init(
          name: "affine", type: .boolean, help: "whether a scale and a shift of each channel are learned",
          standard: .bool(true)),
        name,
      ])
  }

  static var orderSchema: OptionSchema {
    OptionSchema(
      "DepthOptions",
      [
        .init(
          name: "order", type: .choice(["dcr", "crd"]),
          help: "whether channels are by pixel first (TensorFlow) or by channel first (PyTorch)",
          standard: .string("dcr")),
        name,
      ])
  }

  static var resizeSchema: OptionSchema {
    OptionSchema(
      "ResizeOptions",
      [
        .init(name: "mode", type: .choice(["nearest", "bilinear"]), standard: .string("nearest")),
        .init(
          name: "align_corners", type: .boolean, help: "whether corners stay corners, for bilinear",
          standard: .bool(false)),
        name,
      ])
  }

  static var constantSchema: OptionSchema {
    OptionSchema(
      "ConstantOptions",
      [
        .init(
          name: "trained", type: .boolean, help: "whether training moves it: positions, a class token",
          standard: .bool(false)),
        name,
      ])
  }

  static var modelSchema: OptionSchema {
    let initializers = OptionType.choice([
      "glorot_uniform", "he_normal", "he_normal_fan_out", "small_normal", "truncated_normal",
    ])
    return OptionSchema(
      "NetworkDefinition",
      [
        .init(
          name: "input", type: .numbers,
          help: "height, width, channels of an image, or one number: where blocks follow in a row"),
        .init(name: "inputs", type: .values, help: "made by net.input, in their order; instead of input and blocks"),
        .init(name: "outputs", type: .values, help: "what the network computes, in its order"),
        .init(name: "name", type: .string, help: "in tables and plans", standard: .string("network")),
        .init(
          name: "convolution", type: initializers, help: "how weights of convolutions are drawn",
          standard: .string("he_normal")),
        .init(
          name: "dense", type: initializers, help: "how weights of dense layers are drawn",
          standard: .string("glorot_uniform")),
        .init(name: "seed", type: .integer, help: "of the first weights; the run's own by default"),
      ])
  }
}
