import Pipeline

extension ReportPage {
  /// How training went in one stage; a stage that several variants share is there once.
  struct Curve {
    let stage: String
    let usedBy: String
    let epochs: [Epoch]

    struct Epoch {
      let epoch, loss, epochAccuracy, rate: String
    }

    static func all(_ results: ResultsFile) -> [Curve] {
      TrainedStage.all(results).map { trained in
        Curve(
          stage: shown(trained.label), usedBy: trained.variants.map(shown).joined(separator: ", "),
          epochs: trained.curve.enumerated().map { index, epoch in
            Epoch(
              epoch: String(index + 1), loss: Formatting.significant(epoch.loss),
              epochAccuracy: Formatting.percent(epoch.accuracy), rate: Formatting.significant(epoch.learningRate))
          })
      }
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

    init(_ variant: ResultsFile.Variant, _ index: Int) {
      made = shown(variant.name)
      madeSeries = series(index)
      steps = variant.stages.map { step in
        let facts = step.record.facts.sorted { $0.key < $1.key }.map { name, value in
          name == "sparsity"
            ? "sparsity of the pruned layers' weights \(Formatting.percent(value))"
            : "\(shown(name)) \(Formatting.significant(value))"
        }
        return Step(
          label: shown(step.label), time: Formatting.duration(step.record.seconds),
          key: shown(String(step.key.prefix(12))),
          remarks: facts + step.record.notes.map(shown))
      }
    }
  }
}

/// A stage that trained, and the variants that came out of it.
struct TrainedStage {
  let label: String
  let key: String
  let curve: [TrainingEpoch]
  var variants: [String]

  typealias TrainingEpoch = (loss: Double, accuracy: Double, learningRate: Double)

  static func all(_ results: ResultsFile) -> [TrainedStage] {
    var stages: [TrainedStage] = []
    for variant in results.variants {
      for step in variant.stages where !step.record.curve.isEmpty {
        if let known = stages.firstIndex(where: { $0.key == step.key }) {
          stages[known].variants.append(variant.name)
        } else {
          let curve = step.record.curve.map { (loss: $0.loss, accuracy: $0.accuracy, learningRate: $0.learningRate) }
          stages.append(TrainedStage(label: step.label, key: step.key, curve: curve, variants: [variant.name]))
        }
      }
    }
    return stages
  }
}
