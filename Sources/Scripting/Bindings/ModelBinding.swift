import Diagnostics
import Exports
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

  /// The memory of its tensors.
  var sharedMemory: [SharedMemory] {
    [view.weight, view.gradient, view.gradientSquare, view.activations, view.gathered].compactMap { $0?.sharedMemory }
  }

  /// - Throws: `CompressError` when the plugin has not said that it needs it.
  static func needed(_ tensor: Tensor?, _ name: String, _ need: LayerNeed) throws -> LuaValue {
    guard let tensor else {
      throw CompressError(
        "layer.\(name) is for strategies that say so", hint: "needs = { \"\(need.rawValue)\" } in the plugin")
    }
    return .object(TensorObject(tensor))
  }
}

/// A compiled model.
final class SessionObject: NamedForScripts {
  static let scriptName = "Session"
  let session: Session

  init(_ session: Session) { self.session = session }
}

/// Of `load_model`.
enum LoadKeys {
  static var into: OptionKey<ModelObject?> {
    .optional(
      "into", .model,
      help: "the network that a file of weights alone (safetensors, PyTorch) belongs to; its own weights are not used")
  }
  static var ignore: OptionKey<[String]?> {
    .optional("ignore", .patterns, help: "tensors of that file that are left out; * stands for anything")
  }
  static var rename: OptionKey<[String: String]?> {
    .optional("rename", .renames, help: "names in that file, or patterns of them, and what they are in the network")
  }

  static var allowUnknown: OptionKey<Bool> {
    .init(
      "allow_unknown", .boolean, help: "leaves out of an ONNX file what is not known, and all that follows it",
      standard: false)
  }

  static var inputs: OptionKey<[String: [Int]]?> {
    .optional(
      "inputs", .shapes,
      help: "shapes of an ONNX file's inputs that vary, by their names, with the batch, in the file's order of axes")
  }

  static var schema: OptionSchema { OptionSchema("LoadOptions", [into, ignore, rename, inputs, allowUnknown]) }
}

/// Of `export`.
enum ExportKeys {
  static var opset: OptionKey<Int?> {
    .optional(
      "opset", .integer, help: "of an ONNX file: the version of the operators; 17 by default", minimum: 13, maximum: 21)
  }

  static var fast: OptionKey<Bool> {
    OptionKey(
      "fast", .boolean, help: "of a packed file: opened several times as fast, and up to 5 % larger", standard: false)
  }

  static var machines: OptionKey<[String]?> {
    .optional(
      "machines", .strings,
      help: "of a compiled plan: the instruction sets, as { \"avx2\", \"neon\" }; this machine's by default")
  }

  static var batch: OptionKey<Int?> {
    .optional(
      "batch", .integer, help: "of a compiled plan: samples at once that kernels are chosen for; 1 by default",
      minimum: 1, maximum: 65536)
  }

  static var exact: OptionKey<Bool> {
    OptionKey(
      "exact", .boolean,
      help: "of a compiled plan: float products add up in the order of the definition, never by Winograd's method",
      standard: false)
  }

  static var patches: OptionKey<Bool?> {
    .optional(
      "patches", .boolean,
      help: "of C source: first layers patch by patch, where that takes less memory; true by default")
  }

  static var patchWork: OptionKey<Double?> {
    .optional(
      "patch_work", .number,
      help:
        "of C source: multiply-accumulates of those layers at most, as a multiple of what they are without patches; "
        + "1.5 by default", minimum: 1, maximum: 100)
  }

  static var schema: OptionSchema {
    OptionSchema("ExportOptions", [opset, fast, machines, batch, exact, patches, patchWork])
  }
}

/// Of `session:measure`.
enum MeasureKeys {
  static var data: OptionKey<DataObject> { .required("data", .data) }
  static var images: OptionKey<Int> { .init("images", .integer, standard: 1000, minimum: 1, maximum: 1_000_000) }

  static var schema: OptionSchema { OptionSchema("MeasureOptions", [data, images]) }
}

extension ScriptSession {
  /// `Model lab_cnn: 20,410 parameters, 82,796 B, 92.6 k MACs`. To print a model trains nothing: what is neither at
  /// hand nor made in a moment has no sizes yet.
  private func text(of model: ModelObject) throws -> String {
    let work = model.stage.work
    let isMadeAtOnce = work is InitializeStage || work is LoadStage || work is LoadWeightsStage
    guard isMadeAtOnce || executor.isAvailable(model.stage) else { return "Model \(model.name), not computed yet" }
    let ready = try ready(model), cost = ModelCost(ready)
    let bytes = try state.engineWork { try NativeFormat.byteCount(ready) }
    return "Model \(model.name): \(Formatting.count(cost.parameters)) parameters, \(Formatting.bytes(bytes)), "
      + "\(Formatting.scaled(cost.macs)) MACs"
  }

  func defineModels() throws {
    defineLayers()
    let model = LuaClass<ModelObject>("Model", bytes: { $0.stage.bytes })
    model.property("name", "string") { .string($0.name) }
    model.operation(.describe) { [unowned self] arguments in
      .string(try text(of: try arguments.object(0, ModelObject.self)))
    }
    defineSignature(model)
    // These force the model: what is missing is computed now.
    model.method("layers", "(): Layer[]", "The layers with weights; computes the model.") { [unowned self] model, _ in
      let views = LayerViews(try ready(model))
      return [.table(try state.makeTable(views.names.map { .object(LayerObject(views[$0])) }))]
    }
    model.method("summary", "(): string", "A table of the layers; computes the model.") { [unowned self] model, _ in
      [
        .string(
          ModelSummaryTable(try ready(model)).rendered(
            for: Terminal(.output, isInteractive: false, hasColor: false)))
      ]
    }
    model.method(
      "cost",
      "(): { parameters: integer, nonzero: integer, weights: integer, nonzero_weights: integer, macs: integer, "
        + "bytes: integer }",
      "Its size and work, weights also apart from biases; computes the model."
    ) { [unowned self] model, _ in
      let ready = try ready(model)
      let cost = ModelCost(ready)
      return [
        .table(
          try state.makeTable(fields: [
            "parameters": .integer(cost.parameters), "nonzero": .integer(cost.nonzero),
            "weights": .integer(cost.weights), "nonzero_weights": .integer(cost.nonzeroWeights),
            "macs": .integer(cost.macs),
            "bytes": .integer(try state.engineWork { try NativeFormat.data(ready).count }),
          ]))
      ]
    }
    model.method(
      "save", "(file: string): Model",
      "Writes a file under --out, in the format of its ending: .cmpr (native), .cmpz (packed), .onnx, .tflite, .safetensors (weights "
        + "alone), .c (C99, with a header beside it), .cmpx (compiled, for libcompress); computes the model."
    ) {
      [unowned self] model, arguments in
      try save(model, as: try arguments.string(0), ModelExport.Options())
      return [.object(model)]
    }
    state.define(
      "export", "(model: Model, file: string, options?: ExportOptions): Model",
      "Writes a file under --out as save does, with options of its format; computes the model."
    ) { [unowned self] arguments in
      try arguments.atMost(3)
      let model = try arguments.object(0, ModelObject.self), name = try arguments.string(1)
      var options = ModelExport.Options()
      let given = try ExportKeys.schema.read(try arguments.optionalTable(2))
      options.file.opset = given[ExportKeys.opset]
      options.file.isFast = given[ExportKeys.fast]
      options.instructionSets = try given[ExportKeys.machines].map(ModelExport.Options.instructionSets)
      options.batch = given[ExportKeys.batch]
      options.isExact = given[ExportKeys.exact]
      options.setPatches(given[ExportKeys.patches], mostWork: given[ExportKeys.patchWork])
      try save(model, as: name, options)
      return [.object(model)]
    }
    state.define(model)

    let session = LuaClass<SessionObject>(
      "Session", bytes: { [threads = executor.context.pool.threads] in $0.session.plan.memoryBytes(threads: threads) })
    session.method("run", "(samples: Tensor): Tensor", "The network's outputs.") { [unowned self] session, arguments in
      try state.wrap(session.session.run(try arguments.object(0, TensorObject.self).tensor))
    }
    // Milliseconds for one image of a data set, batch 1, in this process.
    session.method(
      "measure",
      "(options: MeasureOptions): { mean: number, min: number, p50: number, p90: number, p99: number, max: number }",
      "Milliseconds for one image, in this process."
    ) { [unowned self] session, arguments in
      try measure(session.session, try MeasureKeys.schema.read(try arguments.table(0)))
    }
    state.define(session)
    state.define("compile", "(model: Model): Session", "Makes a model ready to run; computes it.") {
      [unowned self] arguments in
      let ready = try ready(try arguments.object(0, ModelObject.self))
      try state.reserveNative(bytes: Plan.largestWeightBytes(of: ready))
      let plan = try Plan.$memoryLimit.withValue(state.nativeRoom()) {
        try compile(ready, CompileOptions(maxBatch: 16))
      }
      return [.object(SessionObject(Session(plan, pool: executor.context.pool)))]
    }
    state.define(
      "load_model", "(file: string, options?: LoadOptions): Model",
      "A model from a file under the script's folder or --data."
    ) { [unowned self] arguments in
      try arguments.atMost(2)
      let path = try inputs(try arguments.string(0))
      let given = try LoadKeys.schema.read(try arguments.optionalTable(1))
      guard let template = given[LoadKeys.into] else {
        let ofWeights: [any DeclaredOption] = [LoadKeys.ignore, LoadKeys.rename]
        let reading = ModelFile.ReadOptions(
          inputShapes: given[LoadKeys.inputs] ?? [:], allowsUnknown: given[LoadKeys.allowUnknown])
        if let key = ofWeights.first(where: given.has) {
          throw CompressError("\(key.option.name) is for a file of weights alone, with `into`")
        }
        return [.object(ModelObject(try Stage(LoadStage(path: path, reading: reading), origin: origin()), name: path))]
      }
      guard !given.has(LoadKeys.inputs), !given[LoadKeys.allowUnknown] else {
        throw CompressError("inputs and allow_unknown are for a file that holds a network, without `into`")
      }
      useAsTemplate(template.stage)
      let rules = NameRules(
        ignore: given[LoadKeys.ignore] ?? [],
        rename: (given[LoadKeys.rename] ?? [:]).map { ($0.key, $0.value) })
      let work = try LoadWeightsStage(path: path, network: template.stage.graph, rules: rules)
      return [.object(ModelObject(try record(work, []), name: template.name))]
    }
    defineDescribing()
    try defineZoo()
    try defineNetworks()
  }

  /// Writes a model under the run's output folder, and says what the file does not hold of it.
  private func save(_ model: ModelObject, as name: String, _ options: ModelExport.Options) throws {
    try ModelExport.checkName(name, options)
    guard !self.options.isRehearsal else { return }
    let path = try outputs(name)
    try saving.take(bytes: 0, files: ModelExport.fileCount(name))
    let ready = try ready(model)
    var options = options
    options.file.limit = saving.bytesLeft
    options.file.note = { [progress = executor.context.progress] in progress.note("\(name): not kept: \($0)") }
    let progress = executor.context.progress, tell = { (said: String) in progress.note("\(name): \(said)") }
    do {
      let written = try state.engineWork { try ModelExport.write(ready, to: path, options, tell: tell) }
      try saving.take(bytes: written)
    } catch var error as CompressError {
      if error.kind == .limit { error.hint = error.hint ?? saving.hint }
      throw error
    }
  }

  private func measure(_ session: Session, _ options: OptionValues) throws -> [LuaValue] {
    let data = options[MeasureKeys.data].data
    guard data.sampleShape == session.plan.inputShape, data.count > 0 else {
      throw CompressError(
        "\"\(data.name)\" has \(data.count) samples of shape \(data.sampleShape); the network takes \(session.plan.inputShape)"
      )
    }
    var image = try data.batch(0..<1).images
    var scores = Tensor(zeros: session.plan.outputShape)
    let times = try measuring {
      try image.withMutable(Float.self) { image in
        try scores.withMutable(Float.self) { scores in
          try LatencyMeasurement(runs: min(options[MeasureKeys.images], data.count)) { _ in
            session.run(input: UnsafeBufferPointer(image), output: scores)
          }
        }
      }.statistics
    }
    return [
      .table(
        try state.makeTable(fields: [
          "mean": .number(times.mean), "min": .number(times.min), "p50": .number(times.p50), "p90": .number(times.p90),
          "p99": .number(times.p99), "max": .number(times.max),
        ]))
    ]
  }

  private func defineLayers() {
    let layer = LuaClass<LayerObject>("Layer", shared: \.sharedMemory)
    layer.property("name", "string") { .string($0.view.name) }
    layer.property("kind", "string", "conv2d, dense") { .string($0.view.kind) }
    layer.property("stored", "string", "what the weight is stored as: float32, int8, 16 values …") {
      .string($0.view.stored)
    }
    layer.property("index", "integer", "position among the layers with weights, from 1") { .integer($0.view.index + 1) }
    layer.property("count", "integer", "how many such layers there are") { .integer($0.view.count) }
    layer.property("weight", "Tensor", "output channels first") { .object(TensorObject($0.view.weight)) }
    layer.property("bias", "Tensor?") { $0.view.bias.map { .object(TensorObject($0)) } ?? .nil }
    layer.property("filters", "integer", "output channels") { .integer($0.view.weight.shape[0]) }
    layer.property("gamma", "Tensor?", "scale of the batch norm that follows, one for each filter") {
      $0.view.gamma.map { .object(TensorObject($0)) } ?? .nil
    }
    layer.property(
      "gradient", "Tensor", "of the mean loss, by the weight; for plugins with needs = { \"gradient\" }"
    ) {
      try LayerObject.needed($0.view.gradient, "gradient", .gradient)
    }
    layer.property("gradient_square", "Tensor", "mean of the squared gradients of batches; likewise") {
      try LayerObject.needed($0.view.gradientSquare, "gradient_square", .gradient)
    }
    layer.property(
      "activations", "Tensor",
      "its output for the first 64 samples, [n, height, width, channels]; for plugins with needs = { \"activations\" }"
    ) {
      try LayerObject.needed($0.view.activations, "activations", .activations)
    }
    layer.property("gathered", "Tensor", "what the plugin's gather returned last, of the weight's shape") {
      guard let gathered = $0.view.gathered else {
        throw CompressError("layer.gathered is for strategies with a function gather, while the network trains")
      }
      return .object(TensorObject(gathered))
    }
    layer.property("macs", "integer", "multiply-accumulates for one sample") { .integer($0.view.macs) }
    layer.property("parameters", "integer") { .integer($0.view.weight.count + ($0.view.bias?.count ?? 0)) }
    layer.method("input_shape", "(): integer[]", "Of one sample.") { [unowned self] layer, _ in
      [.table(try state.list(layer.view.inputShape.dims))]
    }
    layer.method("output_shape", "(): integer[]", "Of one sample.") { [unowned self] layer, _ in
      [.table(try state.list(layer.view.outputShape.dims))]
    }
    state.define(layer)
  }
}
