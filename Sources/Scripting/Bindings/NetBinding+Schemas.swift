import Network

/// Of layers and blocks of them.
enum NetKeys {
  static var name: OptionKey<String?> { .optional("name", .string, help: "of the layer, in tables and files") }
  /// Of a block of blocks.
  static var prefix: OptionKey<String?> {
    .optional("name", .string, help: "comes before the names of the layers inside: name.conv_1")
  }
  static var bias: OptionKey<Bool> { .init("bias", .boolean, help: "whether it has one", standard: true) }
  private static var size: OptionType { .either(.integer, .numbers) }
  static var stride: OptionKey<OptionValue?> {
    .optional("stride", .any(size), help: "one number, or {height, width}")
  }
  static var padding: OptionKey<OptionValue?> {
    .optional(
      "padding", .any(.either(.choice(["same", "valid"]), size)),
      help: "pixels of zeros: on every side, {height, width} or {top, left, bottom, right}")
  }
  static var dilation: OptionKey<OptionValue?> { .optional("dilation", .any(size)) }
  static var groups: OptionKey<Int> { .init("groups", .integer, standard: 1, minimum: 1, maximum: 0x1p20) }
  static var multiplier: OptionKey<Int> {
    .init("multiplier", .integer, help: "filters for each channel", standard: 1, minimum: 1, maximum: 1024)
  }
  static var epsilon: OptionKey<Double> { .init("epsilon", .number, standard: 1e-5, minimum: 0, maximum: 1) }
  static var momentum: OptionKey<Double> {
    .init(
      "momentum", .number, help: "share of the running statistics that a step keeps", standard: 0.9, minimum: 0,
      maximum: 1)
  }
  static var countsPadding: OptionKey<Bool> {
    .init("counts_padding", .boolean, help: "whether padding counts as zeros in the mean", standard: false)
  }
  /// Of a transposed convolution.
  static var cropping: OptionKey<OptionValue?> {
    .optional("padding", .any(size), help: "pixels taken away on every side, or {height, width}")
  }
  static var outputPadding: OptionKey<OptionValue?> {
    .optional("output_padding", .any(size), help: "rows and columns more at bottom and right")
  }
  static var transposed: OptionKey<Bool> {
    .init(
      "transposed", .boolean, help: "whether the second is given by columns: {n, k} for {k, n}", standard: false)
  }
  static var keep: OptionKey<Bool> {
    .init("keep", .boolean, help: "whether the axes stay, with one element each", standard: false)
  }
  static var affine: OptionKey<Bool> {
    .init("affine", .boolean, help: "whether a scale and a shift of each channel are learned", standard: true)
  }
  static var order: OptionKey<DepthToSpace.Order> {
    .init(
      "order", .choice(of: [.depthLast, .depthFirst]),
      help: "whether channels are by pixel first (TensorFlow) or by channel first (PyTorch)", standard: .depthLast)
  }
  static var mode: OptionKey<Resize.Interpolation> {
    .init("mode", .choice(of: [.nearest, .bilinear]), standard: .nearest)
  }
  static var alignCorners: OptionKey<Bool> {
    .init("align_corners", .boolean, help: "whether corners stay corners, for bilinear", standard: false)
  }
  static var trained: OptionKey<Bool> {
    .init("trained", .boolean, help: "whether training moves it: positions, a class token", standard: false)
  }
  static var shortcut: OptionKey<BlockObject??> {
    .optional("shortcut", .block, help: "what the input goes through before it is added; false for nothing")
  }
}

/// Of `net.model`.
enum NetworkKeys {
  private static var initializers: OptionKind<WeightInitializer> {
    .choice(of: [.glorotUniform, .heNormal, .heNormalFanOut, .smallNormal, .truncatedNormal, .smallTruncatedNormal])
  }
  static var input: OptionKey<[Double]?> {
    .optional(
      "input", .numbers, help: "height, width, channels of an image, or one number: where blocks follow in a row")
  }
  static var inputs: OptionKey<[NetworkValue]?> {
    .optional("inputs", .values, help: "made by net.input, in their order; instead of input and blocks")
  }
  static var outputs: OptionKey<[NetworkValue]?> {
    .optional("outputs", .values, help: "what the network computes, in its order")
  }
  static var name: OptionKey<String> { .init("name", .string, help: "in tables and plans", standard: "network") }
  static var convolution: OptionKey<WeightInitializer> {
    .init("convolution", initializers, help: "how weights of convolutions are drawn", standard: .heNormal)
  }
  static var dense: OptionKey<WeightInitializer> {
    .init("dense", initializers, help: "how weights of dense layers are drawn", standard: .glorotUniform)
  }
  static var seed: OptionKey<Int?> {
    .optional("seed", .integer, help: "of the first weights; the run's own by default")
  }

  static var schema: OptionSchema { OptionSchema("NetworkDefinition", [input, inputs, outputs, name, convolution, dense, seed]) }
}

extension ScriptSession {
  static var netSchemas: [OptionSchema] {
    [
      layerSchema, convSchema, transposedSchema, depthwiseSchema, denseSchema, batchNormSchema, poolSchema,
      averagePoolSchema, containerSchema, residualSchema, constantSchema, matmulSchema, keepSchema, normSchema,
      orderSchema, resizeSchema, NetworkKeys.schema,
    ]
  }

  /// Those whose tables also list blocks.
  static let listSchemas: Set<String> = ["Blocks", "ResidualBlocks", "NetworkDefinition"]

  private static var window: [any DeclaredOption] { [NetKeys.stride, NetKeys.padding, NetKeys.dilation] }
  private static var pool: [any DeclaredOption] { [NetKeys.stride, NetKeys.padding] }

  static var layerSchema: OptionSchema { OptionSchema("LayerOptions", [NetKeys.name]) }
  static var convSchema: OptionSchema {
    OptionSchema("ConvOptions", window + [NetKeys.groups, NetKeys.bias, NetKeys.name])
  }
  static var transposedSchema: OptionSchema {
    OptionSchema(
      "TransposedOptions",
      [
        NetKeys.stride, NetKeys.cropping, NetKeys.outputPadding, NetKeys.groups, NetKeys.bias, NetKeys.name,
      ] as [any DeclaredOption])
  }
  static var constantSchema: OptionSchema { OptionSchema("ConstantOptions", [NetKeys.trained, NetKeys.name]) }
  static var matmulSchema: OptionSchema { OptionSchema("MatMulOptions", [NetKeys.transposed, NetKeys.name]) }
  static var keepSchema: OptionSchema { OptionSchema("ReduceOptions", [NetKeys.keep, NetKeys.name]) }
  static var normSchema: OptionSchema {
    OptionSchema("NormOptions", [NetKeys.epsilon, NetKeys.affine, NetKeys.name])
  }
  static var orderSchema: OptionSchema { OptionSchema("DepthOptions", [NetKeys.order, NetKeys.name]) }
  static var resizeSchema: OptionSchema {
    OptionSchema("ResizeOptions", [NetKeys.mode, NetKeys.alignCorners, NetKeys.name])
  }
  static var depthwiseSchema: OptionSchema {
    OptionSchema("DepthwiseOptions", window + [NetKeys.multiplier, NetKeys.bias, NetKeys.name])
  }
  static var denseSchema: OptionSchema { OptionSchema("DenseOptions", [NetKeys.bias, NetKeys.name]) }
  static var batchNormSchema: OptionSchema {
    OptionSchema("BatchNormOptions", [NetKeys.epsilon, NetKeys.momentum, NetKeys.name])
  }
  static var poolSchema: OptionSchema { OptionSchema("PoolOptions", pool + [NetKeys.name]) }
  static var averagePoolSchema: OptionSchema {
    OptionSchema("AveragePoolOptions", pool + [NetKeys.countsPadding, NetKeys.name])
  }
  static var containerSchema: OptionSchema { OptionSchema("Blocks", [NetKeys.prefix]) }
  static var residualSchema: OptionSchema { OptionSchema("ResidualBlocks", [NetKeys.shortcut, NetKeys.prefix]) }
}
