import Diagnostics
import LuaHost
import Network
import Pipeline
import Tensors

/// Of the networks of the zoo.
enum ZooKeys {
  static var input: OptionKey<[Double]?> {
    .optional("input", .numbers, help: "height, width, channels of an image; or the length of a vector")
  }
  static var classes: OptionKey<Int?> {
    .optional("classes", .integer, help: "the network's own by default", minimum: 1, maximum: 0x1p20)
  }
  static var seed: OptionKey<Int?> {
    .optional("seed", .integer, help: "of the first weights; the run's own by default")
  }
  static var stem: OptionKey<ZooOptions.Stem?> {
    .optional(
      Zoo.Entry.Option.stem.rawValue, .choice(of: ZooOptions.Stem.self),
      help: "as published, or with finer first steps for small images")
  }
  static var classifier: OptionKey<ZooOptions.Classifier?> {
    .optional(
      Zoo.Entry.Option.classifier.rawValue, .choice(of: ZooOptions.Classifier.self),
      help: "three dense layers, or one")
  }
  static var width: OptionKey<Double?> {
    .optional(
      Zoo.Entry.Option.width.rawValue, .number, help: "multiplies the filters", minimum: 0.01, maximum: 16)
  }
  static var depth: OptionKey<Int?> {
    .optional(
      Zoo.Entry.Option.depth.rawValue, .integer, help: "how often the image is halved", minimum: 1, maximum: 8)
  }
  static var upsampling: OptionKey<ZooOptions.Upsampling?> {
    .optional(
      Zoo.Entry.Option.upsampling.rawValue, .choice(of: ZooOptions.Upsampling.self),
      help: "how images are enlarged")
  }
  static var dropout: OptionKey<Double?> {
    .optional(
      Zoo.Entry.Option.dropout.rawValue, .number, help: "before dense layers; 0 for none", minimum: 0, maximum: 0.99)
  }
}

extension ScriptSession {
  /// Elements of an image: 1024 x 1024 grey pixels. A batch's intermediate values take several hundred times as many
  /// bytes.
  static let pixelLimit = 1 << 20

  /// `zoo.lab_cnn { input = {28, 28, 1}, classes = 10 }`.
  func defineZoo() throws {
    try state.define(
      library: "zoo",
      Zoo.entries.map { entry in
        let schema = Self.zooSchema(entry)
        return LuaMember(entry.name, "(options?: \(schema.name)): Model", "\(entry.summary).") {
          [unowned self] arguments in
          try arguments.atMost(1)
          let given = try schema.read(try arguments.optionalTable(0))
          let network = try entry.graph(given.zoo(entry))
          return [.object(try untrained(entry.name, network, entry.initialization, given[ZooKeys.seed]))]
        }
      })
  }

  /// A model whose weights are drawn when they are needed; that they fit is checked now.
  func untrained(
    _ name: String, _ network: Graph, _ initialization: Initialization, constants: [String: Tensor] = [:],
    _ givenSeed: Int?
  ) throws -> ModelObject {
    let elements = network.nodes.flatMap(network.parameterSpecs).reduce(0) { $0 + $1.shape.count }
    try state.reserveNative(bytes: elements * 4)
    let work = InitializeStage(
      name: name, network: network, initialization: initialization, constants: constants, seed: seed(givenSeed))
    return ModelObject(try record(work, []), name: name)
  }

  /// The common options, and those that the network has beyond them; a network that tells no classes apart has no
  /// `classes`.
  static func zooSchema(_ entry: Zoo.Entry) -> OptionSchema {
    let extra = Zoo.Entry.Option.allCases.filter(entry.options.contains)
    let name = extra.map { $0.rawValue.prefix(1).uppercased() + $0.rawValue.dropFirst() }.joined() + "NetworkOptions"
    guard entry.task != .reconstruction else {
      return OptionSchema("Classless" + name, [ZooKeys.input, ZooKeys.seed] + extra.map(\.key))
    }
    return OptionSchema(name, [ZooKeys.input, ZooKeys.classes, ZooKeys.seed] + extra.map(\.key))
  }

  static var zooSchemas: [OptionSchema] {
    var schemas: [OptionSchema] = []
    for schema in Zoo.entries.map(zooSchema) where !schemas.contains(where: { $0.name == schema.name })
    {
      schemas.append(schema)
    }
    return schemas
  }
}

extension Zoo.Entry.Option {
  fileprivate var key: any DeclaredOption {
    switch self {
    case .stem: ZooKeys.stem
    case .classifier: ZooKeys.classifier
    case .width: ZooKeys.width
    case .dropout: ZooKeys.dropout
    case .depth: ZooKeys.depth
    case .upsampling: ZooKeys.upsampling
    }
  }
}

extension OptionValues {
  /// The options of a network of the zoo, which has the common ones and those that the entry names.
  fileprivate func zoo(_ entry: Zoo.Entry) throws -> ZooOptions {
    var options = entry.defaults
    if let dims = self[ZooKeys.input] { options.input = try Shape(scriptDims: dims) }
    if entry.task != .reconstruction { options.classes = self[ZooKeys.classes] ?? options.classes }
    for option in entry.options {
      switch option {
      case .stem: options.stem = self[ZooKeys.stem] ?? options.stem
      case .classifier: options.classifier = self[ZooKeys.classifier] ?? options.classifier
      case .width: options.width = self[ZooKeys.width] ?? options.width
      case .dropout: options.dropout = self[ZooKeys.dropout] ?? options.dropout
      case .depth: options.depth = self[ZooKeys.depth] ?? options.depth
      case .upsampling: options.upsampling = self[ZooKeys.upsampling] ?? options.upsampling
      }
    }
    return options
  }
}

extension Shape {
  /// The shape of one sample as a script gives it.
  init(scriptDims dims: [Double]) throws {
    self = try Shape(checking: dims.map { Int(exactly: $0) ?? -1 }, limit: ScriptSession.pixelLimit)
  }
}
