import Diagnostics
import LuaHost
import Pipeline
import Training

/// Of what `on_step` and `on_epoch` return.
enum TrainingChangeKeys {
  static var learningRate: OptionKey<Double?> {
    .optional("learning_rate", .number, help: "from now on, in place of the option", minimum: 0)
  }
  static var stop: OptionKey<Bool> { .init("stop", .boolean, help: "ends the training here", standard: false) }

  static var schema: OptionSchema { OptionSchema("TrainingChange", [learningRate, stop]) }
}

/// `on_step` or `on_epoch`.
struct LuaTrainingCallback: TrainingCallback {
  private let function: LuaFunction
  private let name: String
  let isForSteps: Bool
  private let session: ScriptSession

  init(_ function: LuaFunction, name: String, isForSteps: Bool, _ session: ScriptSession) {
    self.function = function
    self.name = name
    self.isForSteps = isForSteps
    self.session = session
  }

  var recipe: Recipe { [.string(name), function.recipe] }

  func call(_ moment: TrainingMoment) throws -> TrainingChange {
    let answer = try session.call(function, [.object(TrainingMomentObject(moment))])
    if answer.isNil { return TrainingChange() }
    do {
      guard let table = answer.table else { throw CompressError("must return a table or nil, not \(answer.typeName)") }
      let given = try TrainingChangeKeys.schema.read(table)
      return TrainingChange(learningRate: given[TrainingChangeKeys.learningRate], stops: given[TrainingChangeKeys.stop])
    } catch let error as CompressError {
      throw CompressError("\(name): \(error.message)", hint: error.hint)
        .at(script: function.location?.script ?? "", line: function.location?.lines.lowerBound)
    }
  }

}

/// What `on_step` and `on_epoch` are told.
final class TrainingMomentObject: NamedForScripts {
  static let scriptName = "TrainingMoment"
  let moment: TrainingMoment

  init(_ moment: TrainingMoment) { self.moment = moment }
}

extension ScriptSession {
  func defineTrainingMoments() {
    let moment = LuaClass<TrainingMomentObject>("TrainingMoment")
    moment.property("step", "integer", "steps done") { .integer($0.moment.progress.step) }
    moment.property("steps", "integer", "of how many") { .integer($0.moment.progress.totalSteps) }
    moment.property("epoch", "integer", "the one under way or just ended, from 1") {
      .integer($0.moment.progress.epoch + 1)
    }
    moment.property("epochs", "integer", "of how many") { .integer($0.moment.epochs) }
    moment.property("loss", "number", "of the step's batch, or the epoch's mean") {
      .number($0.moment.epoch?.loss ?? $0.moment.progress.stepLoss)
    }
    moment.property("accuracy", "number", "likewise, from 0 to 1") {
      .number($0.moment.epoch?.accuracy ?? $0.moment.progress.stepAccuracy)
    }
    moment.property("learning_rate", "number", "of the last step") { .number($0.moment.progress.learningRate) }
    moment.property("validation_loss", "number?", "after an epoch, with validation data") {
      $0.moment.epoch?.validationLoss.map { .number($0) } ?? .nil
    }
    moment.property("validation_accuracy", "number?", "likewise, from 0 to 1") {
      $0.moment.epoch?.validationAccuracy.map { .number($0) } ?? .nil
    }
    state.define(moment)
  }
}
