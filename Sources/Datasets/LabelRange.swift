import Diagnostics

/// Which labels a file may have, and which it has.
struct LabelRange {
  /// What the file calls the first class.
  let first: Int
  /// nil where the largest label tells.
  let classCount: Int?

  static let mostClasses = 1 << 20

  /// Looks at all labels of a file.
  ///
  /// - Parameter label: the label of a sample, counted from 0; nil when it is beyond an `Int`.
  /// - Returns: how many classes there are, and the smallest label.
  /// - Throws: `CompressError` naming the sample, counted from 1, and its label when there is no such class.
  func check(_ count: Int, _ label: (Int) -> Int?) throws -> (classes: Int, smallest: Int) {
    let most = classCount ?? Self.mostClasses
    var pace = Cancellation.Pace()
    var smallest = Int.max, largest = first, outside: (sample: Int, label: Int?)?
    for sample in 0..<count {
      try pace.check(after: 16)
      let label = label(sample)
      if let label {
        smallest = min(smallest, label)
        largest = max(largest, label)
      }
      // `first` is small, and so are the sums.
      if outside == nil, label.map({ $0 < first || $0 >= first + most }) ?? true {
        outside = (sample, label)
      }
    }
    if let outside {
      let oneMore = smallest == first + 1 && classCount.map { largest == first + $0 } == true
      throw Self.error(
        label: outside.label.map(String.init) ?? "beyond 64 bits", sample: outside.sample, classes: most, first: first,
        hint: oneMore ? "the labels count from \(first + 1): first_label = \(first + 1)" : nil)
    }
    return (classCount ?? largest - first + 1, count == 0 ? first : smallest)
  }

  /// - Parameter sample: counted from 0.
  static func error(
    label: String, sample: Int, of what: String = "sample", classes: Int, first: Int = 0, hint: String? = nil
  ) -> CompressError {
    CompressError(
      "\(what) \(sample + 1) has the label \(label); the labels of \(classes) classes are \(first) to "
        + "\(first + classes - 1)", kind: .input, hint: hint)
  }
}

extension LabelRange {
  /// A label as a class from 0. All were looked at when the file was opened; one that was changed since is one class or
  /// another.
  func clamped(_ label: Int, classes: Int) -> Int32 {
    let (index, overflow) = label.subtractingReportingOverflow(first)
    return Int32(overflow ? 0 : min(max(index, 0), classes - 1))
  }
}
