import Tensors

/// Some samples of another data set, in an order of its own.
public struct Subset: Dataset {
  let base: any Dataset
  /// Indices into `base`.
  let indices: [Int]
  /// How they were chosen.
  private let steps: [String]

  public var identity: DatasetIdentity { steps.reduce(base.identity) { $0.adding($1) } }
  public var name: String { base.name }
  public var count: Int { indices.count }
  public var sampleShape: Shape { base.sampleShape }
  public var classCount: Int { base.classCount }
  public var decodesOnRead: Bool { base.decodesOnRead }

  /// `positions` of `base`; a subset of a subset points at what lies below both.
  init(_ base: any Dataset, _ positions: some Sequence<Int>, step: String) {
    if let subset = base as? Subset {
      self.base = subset.base
      steps = subset.steps + [step]
      indices = positions.map { subset.indices[$0] }
    } else {
      self.base = base
      steps = [step]
      indices = Array(positions)
    }
  }

  private init(base: any Dataset, indices: [Int], steps: [String]) {
    self.base = base
    self.indices = indices
    self.steps = steps
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
    try base.read(indices.map { self.indices[$0] }, images: images, labels: labels)
  }
}
