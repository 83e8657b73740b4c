import Analysis

/// How a model did on labelled samples: what `compress evaluate` shows and writes as JSON.
public struct EvaluationOutcome: Encodable {
  public let model, data: String
  public let samples, correct: Int
  public let accuracy: Double
  /// 95 %, Wilson's.
  public let interval: Interval
  /// Samples that it answers NaN to; they count as wrong.
  public let undefined: Int
  public let classes: [ClassResults.Class]
  public let confusions: [ClassResults.Confusion]
  /// Not written: for the page.
  let results: ClassResults
  let mistakes: [Mistake]

  public init(
    model: String, data: String, _ evaluation: Evaluation, _ results: ClassResults, mistakes: [Mistake] = []
  ) {
    self.model = model
    self.data = data
    samples = evaluation.count
    correct = evaluation.correct
    accuracy = evaluation.accuracy
    interval = .wilson(evaluation.correct, of: evaluation.count)
    undefined = evaluation.undefined
    classes = results.classes
    confusions = results.confusions
    self.results = results
    self.mistakes = mistakes
  }

  private enum CodingKeys: String, CodingKey {
    case model, data, samples, correct, accuracy, interval = "accuracy_95", undefined, classes, confusions
  }
}
