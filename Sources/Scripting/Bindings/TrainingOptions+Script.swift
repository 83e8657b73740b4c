import Diagnostics
import Kernels
import LuaHost
import Pipeline
import Training

// What `train` takes, also within `prune`.
extension ScriptSession {
  static var trainSchema: OptionSchema {
    OptionSchema(
      "TrainOptions",
      [
        .init(name: "data", type: .data, help: "samples to learn from", isRequired: true),
        .init(
          name: "epochs", type: .integer, help: "times that every sample is seen", standard: .integer(1), minimum: 1,
          maximum: 1e6),
        .init(
          name: "batch", type: .integer, help: "samples to a step", standard: .integer(32), minimum: 1, maximum: 65_536),
        .init(name: "optimizer", type: .choice(["adam", "adamw", "sgd"]), standard: .string("adam")),
        .init(
          name: "learning_rate", type: .either(.number, .schedule),
          help: "constant, or a schedule; the optimizer's own by default"),
        .init(name: "momentum", type: .number, help: "of sgd", standard: .number(0), minimum: 0, maximum: 1),
        .init(name: "nesterov", type: .boolean, help: "sgd looks ahead", standard: .bool(false)),
        .init(name: "beta1", type: .ratio, help: "of adam and adamw; 0.9 by default"),
        .init(name: "beta2", type: .ratio, help: "of adam and adamw; 0.999 by default"),
        .init(name: "epsilon", type: .number, help: "of adam and adamw; 1e-7 by default"),
        .init(
          name: "weight_decay", type: .number,
          help: "pull of the weights towards zero; 0.01 by default for adamw, else 0", minimum: 0),
        .init(
          name: "decay_all", type: .boolean, help: "biases and batch norms decay too", standard: .bool(false)),
        .init(
          name: "label_smoothing", type: .ratio, help: "share of the target that all classes get alike",
          standard: .number(0)),
        .init(name: "clip_norm", type: .number, help: "largest norm of the gradient of all parameters", minimum: 0),
        .init(
          name: "ema", type: .ratio, help: "decay of the weights' moving average, which is then the result"),
        .init(
          name: "validation", type: .either(.ratio, .data),
          help: "measured on after every epoch: a share of the data, or samples of its own"),
        .init(
          name: "patience", type: .integer,
          help: "epochs without a lower validation loss before it ends; the best weights are the result", minimum: 1,
          maximum: 1e6),
        .init(
          name: "recalibrate", type: .integer, help: "batches to measure batch norms' statistics on at the end",
          standard: .integer(0), minimum: 0, maximum: 1e6),
        .init(name: "distill", type: .table(distillSchema), help: "a model to learn from besides the labels"),
        .init(
          name: "memory", type: .choice(["keep", "recompute"]),
          help: "recompute takes less memory and more time, for the same result", standard: .string("keep")),
        .init(
          name: "precision", type: .choice(ProductPrecision.allCases.map(\.rawValue)),
          help: "of the factors in convolutions and dense layers; bf16 where the CPU has AVX512_BF16",
          standard: .string(ProductPrecision.float32.rawValue)),
        .init(name: "shuffle", type: .boolean, help: "another order each epoch", standard: .bool(true)),
        .init(name: "seed", type: .integer, help: "of the order; the run's own by default"),
        .init(name: "on_step", type: .function(callbackType), help: "called after every step"),
        .init(name: "on_epoch", type: .function(callbackType), help: "called after every epoch"),
      ])
  }

  private static let callbackType = "fun(moment: TrainingMoment): TrainingChange?"

  static var distillSchema: OptionSchema {
    OptionSchema(
      "DistillOptions",
      [
        .init(name: "teacher", type: .model, help: "takes the same samples, tells the same classes", isRequired: true),
        .init(
          name: "temperature", type: .number, help: "softens both outputs", standard: .number(4), minimum: 1e-3,
          maximum: 1e6),
        .init(name: "alpha", type: .ratio, help: "how much the teacher counts", standard: .number(0.9)),
      ])
  }

  /// A training, and the stages it needs besides the model it begins with.
  func training(_ given: OptionValues) throws -> (recipe: TrainingRecipe, inputs: [Stage]) {
    let rate: TrainingRecipe.Rate =
      switch given["learning_rate"] {
      case nil: .standard
      case .number(let rate): .constant(rate)
      case .some(let value): .schedule(try schedule(value))
      }
    var recipe = TrainingRecipe(
      data: given.data("data")!.data, epochs: given.integer("epochs")!, batchSize: given.integer("batch")!,
      optimizer: try optimizer(given), learningRate: rate,
      seed: given.integer("seed").map { UInt64(bitPattern: Int64($0)) } ?? options.seed,
      shuffles: given.bool("shuffle")!)
    recipe.options.weightDecay = given.number("weight_decay")
    recipe.options.decaysAll = given.bool("decay_all")!
    recipe.options.labelSmoothing = given.number("label_smoothing")!
    recipe.options.gradientNorm = given.number("clip_norm")
    recipe.options.averageDecay = given.number("ema")
    recipe.options.patience = given.integer("patience")
    recipe.options.recalibrationBatches = given.integer("recalibrate")!
    recipe.options.recomputes = given.string("memory") == "recompute"
    recipe.options.precision = ProductPrecision(rawValue: given.string("precision")!)!
    try recipe.options.precision.validate()
    switch given["validation"] {
    case .number(let share): recipe.validation = .share(share)
    case .data(let object): recipe.validation = .data(object.data)
    default: break
    }
    for (name, isForSteps) in [("on_step", true), ("on_epoch", false)] {
      guard case .function(let function)? = given[name] else { continue }
      recipe.callbacks.append(LuaTrainingCallback(function, name: name, isForSteps: isForSteps, self))
    }
    guard let distill = given.options("distill"), case .model(let teacher)? = distill["teacher"] else {
      return (recipe, [])
    }
    recipe.hasTeacher = true
    recipe.options.distillation = Distillation(
      temperature: distill.number("temperature")!, weight: distill.number("alpha")!)
    return (recipe, [teacher.stage])
  }

  private func optimizer(_ given: OptionValues) throws -> Optimizer {
    let name = given.string("optimizer")!
    let momentum = given.number("momentum")!, nesterov = given.bool("nesterov")!
    let beta1 = given.number("beta1"), beta2 = given.number("beta2"), epsilon = given.number("epsilon")
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

  func schedule(_ value: OptionValue) throws -> any Schedule {
    switch value {
    case .plugin(let plugin): LuaSchedule(plugin, self)
    case .function(let function): FunctionSchedule(function, self)
    default: throw CompressError("a schedule is a plugin or a function of t")
    }
  }
}
