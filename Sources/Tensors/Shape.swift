import Diagnostics

/// The extent of each axis of a tensor; `[]` is a scalar with one element.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral {
  public let dims: [Int]

  /// - Precondition: no extent is negative and the product fits an `Int`. Sizes from outside go
  ///   through `init(checking:)`.
  public init(_ dims: [Int]) {
    precondition(dims.allSatisfy { $0 >= 0 }, "negative extent in shape \(dims)")
    self.dims = dims
  }

  public init(arrayLiteral elements: Int...) { self.init(elements) }

  /// For sizes that come from a file or a script.
  ///
  /// - Throws: `CompressError` when an extent is negative, there are more than 8 axes, or the
  ///   number of elements exceeds `limit`.
  public init(checking dims: [Int], limit: Int = 1 << 40) throws {
    guard dims.count <= 8 else { throw CompressError("a shape has at most 8 axes, not \(dims.count)") }
    var count = 1
    for dim in dims {
      guard dim >= 0 else { throw CompressError("shape \(dims) has a negative extent") }
      // An empty axis does not excuse the others: strides are products of them too.
      let (product, overflow) = count.multipliedReportingOverflow(by: max(dim, 1))
      guard !overflow, product <= limit else {
        throw CompressError("shape \(dims) has more than \(limit) elements")
      }
      count = product
    }
    self.dims = dims
  }

  public var rank: Int { dims.count }
  /// Number of elements.
  public var count: Int { dims.reduce(1, *) }
  public subscript(axis: Int) -> Int { dims[axis] }

  /// Row-major strides, in elements.
  public var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) { strides[axis] = strides[axis + 1] * dims[axis + 1] }
    return strides
  }

  /// The shape with `dim` put in front: a batch of such things.
  public func batched(_ batch: Int) -> Shape { Shape([batch] + dims) }

  /// The NumPy rule: axes are aligned at the end, and an extent of one stretches.
  ///
  /// - Throws: `CompressError` when an axis differs and neither side is one, or the result is too large.
  public static func broadcast(_ a: Shape, _ b: Shape) throws -> Shape {
    let rank = max(a.rank, b.rank)
    let pad = { (s: Shape) in [Int](repeating: 1, count: rank - s.rank) + s.dims }
    return try Shape(
      checking: zip(pad(a), pad(b)).map { x, y in
        guard x == y || x == 1 || y == 1 else { throw CompressError("shapes \(a) and \(b) do not broadcast") }
        return x == 1 ? y : x
      })
  }
}

extension Shape: CustomStringConvertible {
  public var description: String { "[" + dims.map(String.init).joined(separator: ", ") + "]" }
}

extension Shape: Codable {
  public init(from decoder: any Decoder) throws {
    try self.init(checking: [Int](from: decoder))
  }
  public func encode(to encoder: any Encoder) throws { try dims.encode(to: encoder) }
}
