import Tensors

/// A tensor that is somewhere else: in a file at an offset (`Location` is `Int`), or in a store under
/// the digest of its bytes (`String`).
public struct TensorReference<Location: Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
  public let location: Location
  public let dtype: DType
  public let shape: Shape

  public init(_ location: Location, dtype: DType, shape: Shape) {
    self.location = location
    self.dtype = dtype
    self.shape = shape
  }

  /// Bytes of the tensor: its elements in row-major order, little-endian.
  public var byteCount: Int { shape.count * dtype.size }

  private enum CodingKeys: String, CodingKey { case location = "at", dtype, shape }
}
