/// What a difference from the first variant is good for. Terminal and report colour it by this rule alone: what the
/// samples do not tell apart from nothing has no colour. Of times the samples are turns: what was timed in one turn has
/// no interval, and no colour.
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

  /// Of how many times faster a variant is; nil where no interval says so.
  init?(timesFaster interval: Interval?) {
    guard let interval else { return nil }
    self.init(interval, around: 1)
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
