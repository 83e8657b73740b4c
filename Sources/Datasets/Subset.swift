import Diagnostics
import Network
import Tensors

/// Some samples of another data set, in an order of its own.
public struct Subset: Dataset {
  let base: any Dataset
  /// Indices into `base`. A part of consecutive ones takes no memory of its own.
  private enum Indices: Sendable {
    case range(Range<Int>)
    case list(ArraySlice<Int>)
  }

  private let indices: Indices
  /// How they were chosen.
  private let steps: [String]

  /// More than anybody chooses by hand: what names a data set is as long as they are many.
  static let mostSteps = 1000

  public var identity: DatasetIdentity { steps.isEmpty ? base.identity : base.identity.adding(steps) }
  public var name: String { base.name }
  public var count: Int {
    switch indices {
    case .range(let range): range.count
    case .list(let list): list.count
    }
  }
  public var sampleShape: Shape { base.sampleShape }
  public var classCount: Int { base.classCount }
  public var classNames: [String]? { base.classNames }
  public var hasLabels: Bool { base.hasLabels }
  public var preprocessing: Preprocessing? { base.preprocessing }
  public var decodesOnRead: Bool { base.decodesOnRead }

  /// Bytes of memory that the choice of samples takes; parts of the same order share it.
  var indexBytes: Int {
    let text = steps.reduce(0) { $0 + $1.utf8.count + MemoryLayout<String>.stride }
    return if case .list(let list) = indices { text + list.count * MemoryLayout<Int>.stride } else { text }
  }

  /// Positions `range` of `base`; a subset of a subset points at what lies below both.
  ///
  /// - Precondition: `base` has as many samples.
  /// - Throws: `CompressError` when there are too many steps.
  init(_ base: any Dataset, _ range: Range<Int>, step: String) throws {
    guard let subset = base as? Subset else {
      self.init(base: base, indices: .range(range), steps: [step])
      return
    }
    let indices: Indices =
      switch subset.indices {
      case .range(let all): .range(all.lowerBound + range.lowerBound..<all.lowerBound + range.upperBound)
      case .list(let all):
        // A small part of a long order is copied, so that it does not keep all of it.
        range.count < all.count / 2
          ? .list(ArraySlice(Array(all[all.startIndex + range.lowerBound..<all.startIndex + range.upperBound])))
          : .list(all[all.startIndex + range.lowerBound..<all.startIndex + range.upperBound])
      }
    self.init(base: subset.base, indices: indices, steps: try Self.adding(step, to: subset))
  }

  /// Any positions of `base`.
  ///
  /// - Throws: `CompressError` when there are too many steps.
  init(_ base: any Dataset, order: [Int], step: String) throws {
    guard let subset = base as? Subset else {
      self.init(base: base, indices: .list(order[...]), steps: [step])
      return
    }
    self.init(
      base: subset.base, indices: .list(order.map { subset.index($0) }[...]), steps: try Self.adding(step, to: subset))
  }

  private init(base: any Dataset, indices: Indices, steps: [String]) {
    self.base = base
    self.indices = indices
    self.steps = steps
  }

  private static func adding(_ step: String, to subset: Subset) throws -> [String] {
    guard subset.steps.count < mostSteps else {
      throw CompressError(
        "samples of \"\(subset.name)\" chosen in more than \(mostSteps) steps, one out of the other", kind: .limit)
    }
    return subset.steps + [step]
  }

  /// Where sample `position` is in `base`.
  func index(_ position: Int) -> Int {
    switch indices {
    case .range(let range): range.lowerBound + position
    case .list(let list): list[list.startIndex + position]
    }
  }

  /// The same choice from another form of the base.
  ///
  /// - Precondition: both have the same samples.
  func over(_ base: any Dataset) -> Subset {
    precondition(base.count == self.base.count)
    return Subset(base: base, indices: indices, steps: steps)
  }

  public func atEpoch(_ number: Int) -> any Dataset { over(base.atEpoch(number)) }

  public func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    try base.read(indices.map { index($0) }, images: images, labels: labels)
  }
}

extension Dataset {
  /// Bytes of memory that this data set has besides what it shares with the one it was chosen from: the order of its
  /// samples.
  public var indexBytes: Int { (self as? Subset)?.indexBytes ?? 0 }
}
