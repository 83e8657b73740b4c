import Tensors

/// A value whose elements are those of another in another order, some of them several times or not at all: where each
/// comes from, axis by axis. Transposing, slicing, repeating, gathering and nearest neighbours are such.
public struct Rearrangement: Sendable, Hashable {
  /// For each axis of the result, what each of its indices adds to the position of the element in the input.
  public let offsets: [[Int]]

  public init(_ offsets: [[Int]]) { self.offsets = offsets }

  public var count: Int { offsets.reduce(1) { $0 * $1.count } }

  /// The positions in the input, in the order of the result.
  public var sources: [Int] {
    offsets.reduce([0]) { outer, axis in outer.flatMap { start in axis.map { start + $0 } } }
  }
}

/// An operator that only picks elements of its input, or may do so.
public protocol RearrangingSpec: OperatorSpec {}

extension RearrangingSpec {
  /// Plans hold positions of elements.
  public var largestOutput: Int { 1 << 25 }
}

extension Rearrangement {
  /// Each axis of a value by indices into it.
  init(_ shape: Shape, _ indices: [[Int]]) {
    self.init(zip(indices, shape.strides).map { indices, stride in indices.map { $0 * stride } })
  }
}
