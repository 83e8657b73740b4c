import Diagnostics
import LuaHost
import Network
import Pipeline
import Tensors

extension ScriptSession {
  /// Elements of an image: 1024 x 1024 grey pixels. A batch's intermediate values take several hundred times as many
  /// bytes.
  static let pixelLimit = 1 << 20

  /// `zoo.lab_cnn { input = {28, 28, 1}, classes = 10 }`.
  func defineZoo() throws {
    try state.define(
      library: "zoo",
      Zoo.entries.map { entry in
        let schema = Self.zooSchema(entry.options)
        return LuaMember(entry.name, "(options?: \(schema.name)): Model", "\(entry.summary).") {
          [unowned self] arguments in
          try arguments.atMost(1)
          let given = try schema.read(try arguments.optionalTable(0))
          return [.object(try untrained(entry.name, entry.graph(given.zoo(entry)), entry.initialization, given))]
        }
      })
  }

  /// A model whose weights are drawn when they are needed; that they fit is checked now.
  func untrained(
    _ name: String, _ network: Graph, _ initialization: Initialization, constants: [String: Tensor] = [:],
    _ given: OptionValues
  ) throws -> ModelObject {
    let seed = given.integer("seed").map { UInt64(bitPattern: Int64($0)) } ?? options.seed
    let elements = network.nodes.flatMap(network.parameterSpecs).reduce(0) { $0 + $1.shape.count }
    try state.reserveNative(bytes: elements * 4)
    let work = InitializeStage(
      name: name, network: network, initialization: initialization, constants: constants, seed: seed)
    return ModelObject(try record(work, []), name: name)
  }

  /// The options of networks that have these beyond the common ones.
  static func zooSchema(_ extra: Set<Zoo.Entry.Option>) -> OptionSchema {
    let extra = Zoo.Entry.Option.allCases.filter(extra.contains)
    let name = extra.map { $0.rawValue.prefix(1).uppercased() + $0.rawValue.dropFirst() }.joined() + "NetworkOptions"
    return OptionSchema(
      name,
      [
        .init(name: "input", type: .numbers, help: "height, width, channels of an image"),
        .init(name: "classes", type: .integer, help: "the network's own by default", minimum: 1, maximum: 0x1p20),
        .init(name: "seed", type: .integer, help: "of the first weights; the run's own by default"),
      ] + extra.map(\.schema))
  }

  static var zooSchemas: [OptionSchema] {
    var schemas: [OptionSchema] = []
    for schema in Zoo.entries.map({ zooSchema($0.options) }) where !schemas.contains(where: { $0.name == schema.name })
    {
      schemas.append(schema)
    }
    return schemas
  }
}

extension Zoo.Entry.Option {
  fileprivate var schema: OptionSchema.Option {
    switch self {
    case .stem:
      .init(
        name: rawValue, type: .choice(ZooOptions.Stem.allCases.map(\.rawValue)),
        help: "7x7 convolution and pooling, or a 3x3 convolution for small images")
    case .classifier:
      .init(
        name: rawValue, type: .choice(ZooOptions.Classifier.allCases.map(\.rawValue)),
        help: "three dense layers, or one")
    case .width: .init(name: rawValue, type: .number, help: "multiplies the filters", minimum: 0.01, maximum: 16)
    case .dropout:
      .init(name: rawValue, type: .number, help: "before dense layers; 0 for none", minimum: 0, maximum: 0.99)
    }
  }
}

extension OptionValues {
  /// The options of a network of the zoo.
  fileprivate func zoo(_ entry: Zoo.Entry) throws -> ZooOptions {
    var options = entry.defaults
    if case .numbers(let dims)? = self["input"] { options.input = try Shape(scriptDims: dims) }
    options.classes = integer("classes") ?? options.classes
    options.stem = string("stem").flatMap(ZooOptions.Stem.init) ?? options.stem
    options.classifier = string("classifier").flatMap(ZooOptions.Classifier.init) ?? options.classifier
    options.width = number("width") ?? options.width
    options.dropout = number("dropout") ?? options.dropout
    return options
  }
}

extension Shape {
  /// The shape of one sample as a script gives it.
  init(scriptDims dims: [Double]) throws {
    self = try Shape(checking: dims.map { Int(exactly: $0) ?? -1 }, limit: ScriptSession.pixelLimit)
  }
}
