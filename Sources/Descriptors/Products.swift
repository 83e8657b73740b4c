import Kernels
import Network
import Tensors

extension BatchedProduct {
  /// - Parameters: the shapes of one sample's factors and of its result.
  public init(_ product: MatMul, _ a: Shape, _ b: Shape, _ result: Shape) {
    self.init(
      m: result[result.rank - 2], n: result[result.rank - 1], k: a[a.rank - 1],
      matrices: result.dims.dropLast(2).reduce(1, *), repeatsA: a.rank == 2, repeatsB: b.rank == 2,
      transposesB: product.transposesSecond)
  }
}

extension AttentionGeometry {
  /// - Parameter shapes: of one sample's queries, keys and values.
  public init(_ attention: Attention, _ shapes: [Shape]) {
    self.init(
      heads: attention.heads, queries: shapes[0][0], keys: shapes[1][0], depth: shapes[0][1] / attention.heads,
      width: shapes[2][1] / attention.heads, scale: attention.scale(shapes[0]))
  }
}
