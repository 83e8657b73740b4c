import Analysis

/// How the number that a model is judged by is written: a share of right answers in percent, a cosine as it is.
enum ScoreUnit: String {
  case accuracy, cosine

  init(_ measure: Measure) {
    switch measure {
    case .accuracy: self = .accuracy
    case .agreement: self = .cosine
    }
  }

  func text(_ score: Double, digits: Int = 2) -> String {
    switch self {
    case .accuracy: Formatting.percent(score, digits: digits)
    case .cosine: Formatting.cosine(score)
    }
  }

  /// Of what was lost.
  func loss(_ lost: Double) -> String {
    switch self {
    case .accuracy: Formatting.points(lost, signed: false)
    case .cosine: Formatting.cosine(lost)
    }
  }

  /// What losses are counted in.
  var lossUnit: String {
    switch self {
    case .accuracy: "points"
    case .cosine: "of the cosine"
    }
  }

  /// What the scores are, at the beginning of a sentence.
  var title: String {
    switch self {
    case .accuracy: "Accuracy"
    case .cosine: "Cosine with the original's outputs (that of the output that differs most)"
    }
  }
}
