import Network
import Tensors

/// The samples of another data set without their labels: what is judged on them is judged by outputs.
public struct Unlabelled: Dataset {
  let base: any Dataset

  init(_ base: any Dataset) { self.base = base }

  public let hasLabels = false
  public let classCount = 1
  public var name: String { base.name }
  public var count: Int { base.count }
  public var sampleShape: Shape { base.sampleShape }
  public var preprocessing: Preprocessing? { base.preprocessing }
  public var identity: DatasetIdentity { base.identity.adding("no labels") }
  public var decodesOnRead: Bool { base.decodesOnRead }

  public func atEpoch(_ number: Int) -> any Dataset { Unlabelled(base.atEpoch(number)) }

  public func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    try base.read(indices, images: images, labels: labels)
    labels.update(repeating: 0)
  }
}

extension Dataset {
  /// The same samples without labels.
  public var unlabelled: any Dataset { hasLabels ? Unlabelled(self) : self }
}
