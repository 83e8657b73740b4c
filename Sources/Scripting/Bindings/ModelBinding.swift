import Diagnostics
import Formats
import LuaHost
import Network
import Pipeline
import Reports
import Runtime
import Tensors

/// A model that is, or is yet to be, as scripts hold it.
final class ModelObject: NamedForScripts {
  static let scriptName = "Model"
  let stage: Stage
  /// What the network is called in labels.
  let name: String

  init(_ stage: Stage, name: String) {
    self.stage = stage
    self.name = name
  }
}

/// One layer as scripts and plugins see it.
final class LayerObject: NamedForScripts {
  static let scriptName = "Layer"
  let view: LayerView

  init(_ view: LayerView) { self.view = view }
}

/// A compiled model.
final class SessionObject: NamedForScripts {
  static let scriptName = "Session"
  let session: Session

  init(_ session: Session) { self.session = session }
}

extension ScriptSession {
  func defineModels() throws {
    defineLayers()
    let model = LuaClass<ModelObject>("Model")
    model.property("name") { .string($0.name) }
    // These force the model: what is missing is computed now.
    model.method("layers") { [unowned self] model, _ in
      let ready = try executor.model(of: model.stage)
      return [.table(try state.makeTable(ready.weightLayers.map { .object(LayerObject(LayerView(ready, $0))) }))]
    }
    model.method("summary") { [unowned self] model, _ in
      [.string(ModelSummaryTable(try executor.model(of: model.stage)).rendered(for: Terminal(.output, isInteractive: false, hasColor: false)))]
    }
    model.method("cost") { [unowned self] model, _ in
      let ready = try executor.model(of: model.stage)
      let cost = ModelCost(ready)
      return [
        .table(
          try state.makeTable(fields: [
            "parameters": .integer(cost.parameters), "nonzero": .integer(cost.nonzero), "macs": .integer(cost.macs),
            "bytes": .integer(try NativeFormat.data(ready).count),
          ]))
      ]
    }
    model.method("save") { [unowned self] model, arguments in
      let path = try outputs(try arguments.string(0))
      try NativeFormat.write(try executor.model(of: model.stage), to: path)
      return [.object(model)]
    }
    state.define(model)

    let session = LuaClass<SessionObject>("Session")
    session.method("run") { [unowned self] session, arguments in
      try state.wrap(session.session.run(try arguments.object(0, TensorObject.self).tensor))
    }
    // Milliseconds for one image of a data set, batch 1, in this process.
    session.method("measure") { [unowned self] session, arguments in
      try measure(session.session, try Self.measureSchema.read(try arguments.table(0)))
    }
    state.define(session)
    state.define("compile") { [unowned self] arguments in
      let ready = try executor.model(of: try arguments.object(0, ModelObject.self).stage)
      return [.object(SessionObject(Session(try compile(ready, CompileOptions(maxBatch: 16)), pool: executor.context.pool)))]
    }
    state.define("load_model") { [unowned self] arguments in
      let path = try inputs(try arguments.string(0))
      return [.object(ModelObject(try Stage(LoadStage(path: path), origin: origin()), name: path))]
    }
    try defineZoo()
  }

  private static var measureSchema: OptionSchema {
    OptionSchema([
      .init(name: "data", type: .data, isRequired: true),
      .init(name: "images", type: .integer, standard: .integer(1000), minimum: 1, maximum: 1_000_000),
    ])
  }

  private func measure(_ session: Session, _ options: OptionValues) throws -> [LuaValue] {
    let data = options.data("data")!.data
    guard data.sampleShape == session.plan.inputShape, data.count > 0 else {
      throw CompressError("\"\(data.name)\" has \(data.count) samples of shape \(data.sampleShape); the network takes \(session.plan.inputShape)")
    }
    var image = try data.batch(0..<1).images
    var scores = Tensor(zeros: session.plan.outputShape)
    let times = try image.withMutable(Float.self) { image in
      try scores.withMutable(Float.self) { scores in
        try LatencyMeasurement(runs: min(options.integer("images")!, data.count)) { _ in
          session.run(input: UnsafeBufferPointer(image), output: scores)
        }
      }
    }.statistics
    return [
      .table(
        try state.makeTable(fields: [
          "mean": .number(times.mean), "min": .number(times.min), "p50": .number(times.p50), "p90": .number(times.p90),
          "p99": .number(times.p99), "max": .number(times.max),
        ]))
    ]
  }

  private func defineLayers() {
    let layer = LuaClass<LayerObject>("Layer", bytes: \.view.weight.byteCount)
    layer.property("name") { .string($0.view.name) }
    layer.property("kind") { .string($0.view.kind) }
    layer.property("index") { .integer($0.view.index + 1) }
    layer.property("count") { .integer($0.view.count) }
    layer.property("weight") { .object(TensorObject($0.view.weight)) }
    layer.property("bias") { $0.view.bias.map { .object(TensorObject($0)) } ?? .nil }
    layer.property("macs") { .integer($0.view.macs) }
    layer.property("parameters") { .integer($0.view.weight.count + ($0.view.bias?.count ?? 0)) }
    layer.method("input_shape") { [unowned self] layer, _ in [.table(try state.list(layer.view.inputShape.dims))] }
    layer.method("output_shape") { [unowned self] layer, _ in [.table(try state.list(layer.view.outputShape.dims))] }
    state.define(layer)
  }

  /// Elements of an image: 1024 x 1024 grey pixels. A batch's intermediate values take several hundred times as many bytes.
  private static let pixelLimit = 1 << 20

  /// `zoo.lab_cnn { input = {28, 28, 1}, classes = 10 }`.
  private func defineZoo() throws {
    let schema = OptionSchema([
      .init(name: "input", type: .numbers, help: "height, width, channels of an image"),
      .init(name: "classes", type: .integer, standard: .integer(10), minimum: 1, maximum: 0x1p20),
      .init(name: "seed", type: .integer, help: "of the first weights; the run's own by default"),
    ])
    var functions: [String: LuaState.Body] = [:]
    for entry in Zoo.entries {
      functions[entry.name] = { [unowned self] arguments in
        let given = try schema.read(try arguments.optionalTable(0))
        var input = entry.defaultInput
        if case .numbers(let dims)? = given["input"] {
          input = try Shape(checking: dims.map { Int(exactly: $0) ?? -1 }, limit: Self.pixelLimit)
        }
        let seed = given.integer("seed").map { UInt64(bitPattern: Int64($0)) } ?? options.seed
        let network = try entry.graph(input, given.integer("classes")!)
        // The weights come later, but must fit then.
        let elements = network.nodes.flatMap(network.parameterSpecs).reduce(0) { $0 + $1.shape.count }
        try state.reserveNative(bytes: elements * 4)
        let work = InitializeStage(name: entry.name, network: network, initializer: entry.initializer, seed: seed)
        return [.object(ModelObject(try record(work, []), name: entry.name))]
      }
    }
    try state.define(library: "zoo", functions)
  }
}
