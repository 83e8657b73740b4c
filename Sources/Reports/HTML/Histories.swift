import Diagnostics
import Pipeline

extension ReportPage {
  /// How training went in one stage; a stage that several variants share is there once.
  struct Curve {
    let stage: String
    let usedBy: String
    let hasValidation: Bool
    let epochs: [Epoch]

    struct Epoch {
      let epoch, loss, epochAccuracy, rate, speed: String
      /// Empty, or one with the loss and accuracy of the validation data.
      let validation: [Validation]

      struct Validation { let validationLoss, validationAccuracy: String }
    }

    static func all(_ results: ResultsFile) -> [Curve] {
      TrainedStage.all(results).map { trained in
        Curve(
          stage: shown(trained.label), usedBy: trained.variants.map(shown).joined(separator: ", "),
          hasValidation: trained.hasValidation,
          epochs: trained.curve.enumerated().map { index, epoch in
            Epoch(
              epoch: String(index + 1), loss: Formatting.significant(epoch.loss),
              epochAccuracy: Formatting.percent(epoch.accuracy), rate: Formatting.significant(epoch.learningRate),
              speed: trained.imagesPerSecond(index).map { Formatting.count($0.rounded(.towardZero)) } ?? "–",
              validation: trained.hasValidation ? [validation(epoch)] : [])
          })
      }
    }

    private static func validation(_ epoch: ResultsFile.Epoch) -> Epoch.Validation {
      Epoch.Validation(
        validationLoss: epoch.validationLoss.map { Formatting.significant($0) } ?? "–",
        validationAccuracy: epoch.validationAccuracy.map { Formatting.percent($0) } ?? "–")
    }
  }

  /// How a variant was made.
  struct History {
    let made: String
    let madeSeries: String
    let steps: [Step]

    struct Step {
      let label, time, key: String
      let remarks: [String]
    }

    /// What the stage promised itself, in a line.
    private static func promises(_ step: ResultsFile.Step) -> [String] {
      let own = (step.record.contracts ?? []).filter { $0.stage == step.label }
      guard !own.isEmpty else { return [] }
      let said = own.map { "\(shown($0.layer)) \($0.promise)" }
      let more = said.count > 3 ? " and \(said.count - 3) more" : ""
      return ["later stages keep: \(said.prefix(3).joined(separator: ", "))\(more)"]
    }

    init(_ variant: ResultsFile.Variant, _ index: Int) {
      made = shown(variant.name)
      madeSeries = series(index)
      steps = variant.stages.map { step in
        let facts = step.record.facts.sorted { $0.key < $1.key }.map { name, value in
          switch name {
          case "sparsity": "sparsity of the pruned layers' weights \(Formatting.percent(value))"
          case "activation_bytes": "memory for activations while training \(Formatting.bytes(value))"
          default: "\(shown(name)) \(Formatting.significant(value))"
          }
        }
        return Step(
          label: shown(step.label), time: Formatting.duration(step.record.seconds),
          key: shown(String(step.key.prefix(12))),
          remarks: facts + ((step.record.warnings ?? []) + step.record.notes).map(shown) + Self.promises(step))
      }
    }
  }
}

/// A stage that trained, and the variants that came out of it.
struct TrainedStage {
  let label: String
  let key: String
  let curve: [ResultsFile.Epoch]
  let seconds: [Double]
  var variants: [String]

  var hasValidation: Bool { curve.contains { $0.validationLoss != nil } }

  /// Of an epoch; nil where the time was not taken.
  func imagesPerSecond(_ epoch: Int) -> Double? {
    guard seconds.indices.contains(epoch), seconds[epoch] > 0 else { return nil }
    return Double(curve[epoch].images) / seconds[epoch]
  }

  static func all(_ results: ResultsFile) -> [TrainedStage] {
    var stages: [TrainedStage] = []
    for variant in results.variants {
      for step in variant.stages where !step.record.curve.isEmpty {
        if let known = stages.firstIndex(where: { $0.key == step.key }) {
          stages[known].variants.append(variant.name)
        } else {
          stages.append(
            TrainedStage(
              label: step.label, key: step.key, curve: step.record.curve, seconds: step.record.epochSeconds ?? [],
              variants: [variant.name]))
        }
      }
    }
    return stages
  }
}
