/// What a difference from the first variant is good for. Terminal and report colour it by this rule alone: what the
/// samples do not tell apart from nothing has no colour. Times have none, whatever their intervals say: variants are
/// timed one after the other, and how the machine changes in between is in no interval.
enum Verdict: String {
  case better = "good"
  case worse = "bad"
  case same

  /// - Parameters:
  ///   - interval: of the difference, more being better.
  ///   - none: what no difference is.
  init(_ interval: Interval, around none: Double = 0) {
    self = interval.low > none ? .better : interval.high < none ? .worse : .same
  }

  /// Of how many times smaller a file is, which is exact; what rounds to once is no difference.
  init(timesSmaller ratio: Double) {
    let shown = (ratio * 10).rounded() / 10
    self = shown > 1 ? .better : shown < 1 ? .worse : .same
  }

  /// In a terminal; in the report the raw value is the class of the style sheet.
  var style: Terminal.Style {
    switch self {
    case .better: .green
    case .worse: .red
    case .same: .dim
    }
  }
}
