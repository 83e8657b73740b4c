import Tensors

/// Some samples of another data set, in an order of its own.
public struct Subset: Dataset {
  let base: any Dataset
  /// Indices into `base`.
  let indices: [Int]
  public let identity: DatasetIdentity

  public var name: String { base.name }
  public var count: Int { indices.count }
  public var sampleShape: Shape { base.sampleShape }
  public var classCount: Int { base.classCount }

  /// `positions` of `base`; a subset of a subset points at what lies below both.
  init(_ base: any Dataset, _ positions: some Sequence<Int>, step: String) {
    identity = base.identity.adding(step)
    if let subset = base as? Subset {
      self.base = subset.base
      indices = positions.map { subset.indices[$0] }
    } else {
      self.base = base
      indices = Array(positions)
    }
  }

  public func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    try base.read(indices.map { self.indices[$0] }, images: images, labels: labels)
  }
}
