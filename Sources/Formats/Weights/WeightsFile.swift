import Tensors

/// A file of named tensors without a network.
public protocol WeightsFile: Sendable {
  /// By name.
  var entries: [TensorEntry] { get }
  /// The values as float32. Floats of other widths are converted exactly or to the nearest, integers to the nearest.
  func floats(_ entry: TensorEntry) -> Tensor
}

/// A tensor in such a file.
public struct TensorEntry: Sendable {
  public let name: String
  public let type: ElementType
  public let shape: Shape
  /// By what its file finds its elements.
  let place: Int

  /// Of its elements, one after the other.
  public var byteCount: Int { shape.count * type.size }

  /// The most tensors of a file. The largest models that are published have some ten thousand.
  static let most = 1 << 17
  /// Bytes of a name.
  static let longestName = 4096
}
