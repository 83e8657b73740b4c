import Diagnostics
import Kernels
import LuaHost
import Pipeline
import Training

/// Of `train`, also within `prune` and `quantize`.
enum TrainKeys {
  static var data: OptionKey<DataObject> { .required("data", .data, help: "samples to learn from") }
  static var epochs: OptionKey<Int> {
    .init("epochs", .integer, help: "times that every sample is seen", standard: 1, minimum: 1, maximum: 1e6)
  }
  static var batch: OptionKey<Int> {
    .init("batch", .integer, help: "samples to a step", standard: 32, minimum: 1, maximum: 65_536)
  }
  static var optimizer: OptionKey<String> { .init("optimizer", .choice(["adam", "adamw", "sgd"]), standard: "adam") }
  static var learningRate: OptionKey<OptionValue?> {
    .optional(
      "learning_rate", .any(.either(.number, .schedule)),
      help: "constant, or a schedule; the optimizer's own by default")
  }
  static var momentum: OptionKey<Double> {
    .init("momentum", .number, help: "of sgd", standard: 0, minimum: 0, maximum: 1)
  }
  static var nesterov: OptionKey<Bool> { .init("nesterov", .boolean, help: "sgd looks ahead", standard: false) }
  static var beta1: OptionKey<Double?> { .optional("beta1", .ratio, help: "of adam and adamw; 0.9 by default") }
  static var beta2: OptionKey<Double?> { .optional("beta2", .ratio, help: "of adam and adamw; 0.999 by default") }
  static var epsilon: OptionKey<Double?> { .optional("epsilon", .number, help: "of adam and adamw; 1e-7 by default") }
  static var weightDecay: OptionKey<Double?> {
    .optional(
      "weight_decay", .number, help: "pull of the weights towards zero; 0.01 by default for adamw, else 0", minimum: 0)
  }
  static var decayAll: OptionKey<Bool> {
    .init("decay_all", .boolean, help: "biases and batch norms decay too", standard: false)
  }
  static var entropy: OptionKey<Double> {
    .init(
      "entropy", .number, help: "loss for each bit that a weight takes in the mean once it is coded", standard: 0,
      minimum: 0)
  }
  static var labelSmoothing: OptionKey<Double> {
    .init("label_smoothing", .ratio, help: "share of the target that all classes get alike", standard: 0)
  }
  static var clipNorm: OptionKey<Double?> {
    .optional("clip_norm", .number, help: "largest norm of the gradient of all parameters", minimum: 0)
  }
  static var ema: OptionKey<Double?> {
    .optional("ema", .ratio, help: "decay of the weights' moving average, which is then the result")
  }
  static var validation: OptionKey<OptionValue?> {
    .optional(
      "validation", .any(.either(.ratio, .data)),
      help: "measured on after every epoch: a share of the data, or samples of its own")
  }
  static var patience: OptionKey<Int?> {
    .optional(
      "patience", .integer,
      help: "epochs without a lower validation loss before it ends; the best weights are the result", minimum: 1,
      maximum: 1e6)
  }
  static var recalibrate: OptionKey<Int> {
    .init(
      "recalibrate", .integer, help: "batches to measure batch norms' statistics on at the end", standard: 0,
      minimum: 0, maximum: 1e6)
  }
  static var distill: OptionKey<OptionValues?> {
    .optional("distill", .table(DistillKeys.schema), help: "a model to learn from besides the labels")
  }
  static var memory: OptionKey<String> {
    .init(
      "memory", .choice(["keep", "recompute"]), help: "recompute takes less memory and more time, for the same result",
      standard: "keep")
  }
  static var precision: OptionKey<ProductPrecision> {
    .init(
      "precision", .choice(of: ProductPrecision.self),
      help: "of the factors in convolutions and dense layers; bf16 where the CPU has AVX512_BF16",
      standard: .float32)
  }
  static var shuffle: OptionKey<Bool> { .init("shuffle", .boolean, help: "another order each epoch", standard: true) }
  static var seed: OptionKey<Int?> { .optional("seed", .integer, help: "of the order; the run's own by default") }
  static var onStep: OptionKey<LuaFunction?> {
    .optional("on_step", .function(callbackType), help: "called after every step")
  }
  static var onEpoch: OptionKey<LuaFunction?> {
    .optional("on_epoch", .function(callbackType), help: "called after every epoch")
  }

  private static let callbackType = "fun(moment: TrainingMoment): TrainingChange?"

  static var schema: OptionSchema {
    OptionSchema(
      "TrainOptions",
      [
        data, epochs, batch, optimizer, learningRate, momentum, nesterov, beta1, beta2, epsilon, weightDecay, decayAll,
        entropy, labelSmoothing, clipNorm, ema, validation, patience, recalibrate, distill, memory, precision, shuffle, seed,
        onStep, onEpoch,
      ])
  }
}

/// Of `distill` in it.
enum DistillKeys {
  static var teacher: OptionKey<ModelObject> {
    .required("teacher", .model, help: "takes the same samples, tells the same classes")
  }
  static var temperature: OptionKey<Double> {
    .init("temperature", .number, help: "softens both outputs", standard: 4, minimum: 1e-3, maximum: 1e6)
  }
  static var alpha: OptionKey<Double> { .init("alpha", .ratio, help: "how much the teacher counts", standard: 0.9) }

  static var labels: OptionKey<Bool> {
    .init(
      "labels", .boolean, help: "false to learn from the teacher alone: any network, whatever its outputs mean",
      standard: true)
  }
  static var loss: OptionKey<Matching.Error?> {
    .optional(
      "loss", .choice(of: Matching.Error.self),
      help: "without labels: how far values are from the teacher's; squared by default")
  }
  static var values: OptionKey<[String]?> {
    .optional("values", .strings, help: "without labels: layers whose outputs are to be the teacher's; all outputs by default")
  }

  static var schema: OptionSchema {
    OptionSchema("DistillOptions", [teacher, temperature, alpha, labels, loss, values])
  }
}

extension ScriptSession {
  /// A training, and the stages it needs besides the model it begins with.
  func training(_ given: OptionValues) throws -> (recipe: TrainingRecipe, inputs: [Stage]) {
    let rate: TrainingRecipe.Rate =
      switch given[TrainKeys.learningRate] {
      case nil: .standard
      case .number(let rate): .constant(rate)
      case .some(let value): .schedule(try schedule(value))
      }
    var recipe = TrainingRecipe(
      data: given[TrainKeys.data].data, epochs: given[TrainKeys.epochs], batchSize: given[TrainKeys.batch],
      optimizer: try optimizer(given), learningRate: rate,
      seed: seed(given[TrainKeys.seed]),
      shuffles: given[TrainKeys.shuffle])
    recipe.options.weightDecay = given[TrainKeys.weightDecay]
    recipe.options.decaysAll = given[TrainKeys.decayAll]
    recipe.options.entropy = given[TrainKeys.entropy]
    recipe.options.labelSmoothing = given[TrainKeys.labelSmoothing]
    recipe.options.gradientNorm = given[TrainKeys.clipNorm]
    recipe.options.averageDecay = given[TrainKeys.ema]
    recipe.options.patience = given[TrainKeys.patience]
    recipe.options.recalibrationBatches = given[TrainKeys.recalibrate]
    recipe.options.recomputes = given[TrainKeys.memory] == "recompute"
    recipe.options.precision = given[TrainKeys.precision]
    try recipe.options.precision.validate()
    switch given[TrainKeys.validation] {
    case .number(let share): recipe.validation = .share(share)
    case .data(let object): recipe.validation = .data(object.data)
    default: break
    }
    for (key, isForSteps) in [(TrainKeys.onStep, true), (TrainKeys.onEpoch, false)] {
      guard let function = given[key] else { continue }
      recipe.callbacks.append(LuaTrainingCallback(function, name: key.name, isForSteps: isForSteps, self))
    }
    guard let distill = given[TrainKeys.distill] else { return (recipe, []) }
    recipe.hasTeacher = true
    recipe.options.distillation = Distillation(
      temperature: distill[DistillKeys.temperature], weight: distill[DistillKeys.alpha])
    if distill[DistillKeys.labels] {
      guard distill[DistillKeys.loss] == nil, distill[DistillKeys.values] == nil else {
        throw CompressError("distill: loss and values are for learning without labels", hint: "labels = false")
      }
    } else {
      recipe.options.matching = Matching(
        distill[DistillKeys.loss] ?? .squared, values: distill[DistillKeys.values] ?? [])
    }
    return (recipe, [distill[DistillKeys.teacher].stage])
  }

  private func optimizer(_ given: OptionValues) throws -> Optimizer {
    let name = given[TrainKeys.optimizer]
    let momentum = given[TrainKeys.momentum], nesterov = given[TrainKeys.nesterov]
    let beta1 = given[TrainKeys.beta1], beta2 = given[TrainKeys.beta2], epsilon = given[TrainKeys.epsilon]
    guard name != "sgd" else {
      guard beta1 == nil, beta2 == nil, epsilon == nil else {
        throw CompressError("beta1, beta2 and epsilon are adam's; sgd has a momentum")
      }
      return .sgd(momentum: momentum, nesterov: nesterov)
    }
    guard momentum == 0, !nesterov else { throw CompressError("momentum is sgd's; \(name) has its own") }
    return name == "adam"
      ? .adam(beta1: beta1 ?? 0.9, beta2: beta2 ?? 0.999, epsilon: epsilon ?? 1e-7)
      : .adamW(beta1: beta1 ?? 0.9, beta2: beta2 ?? 0.999, epsilon: epsilon ?? 1e-7)
  }

  /// A seed that a script gave, or the run's own.
  func seed(_ given: Int?) -> UInt64 { given.map { UInt64(bitPattern: Int64($0)) } ?? options.seed }

  func schedule(_ value: OptionValue) throws -> any Schedule {
    switch value {
    case .plugin(let plugin): LuaSchedule(plugin, self)
    case .function(let function): FunctionSchedule(function, self)
    default: throw CompressError("a schedule is a plugin or a function of t")
    }
  }
}
