import CKernels

/// Scaled dot-product attention in several heads (see steps/f32-attention.h).
public struct AttentionGeometry: Sendable {
  public let heads, queries, keys: Int
  /// Channels of queries and keys, and of values, of one head.
  public let depth, width: Int
  public let scale: Float

  public init(heads: Int, queries: Int, keys: Int, depth: Int, width: Int, scale: Float) {
    self.heads = heads
    self.queries = queries
    self.keys = keys
    self.depth = depth
    self.width = width
    self.scale = scale
  }

  /// What a plan holds of it.
  ///
  /// - Parameter givesWeights: whether a second output receives what the softmax gave, (heads, queries, keys).
  public func step(givesWeights: Bool = false) -> PreparedStep {
    PreparedStep(
      "f32_attention",
      ck_f32_attention(
        heads: heads, queries: queries, keys: keys, depth: depth, width: width, scale: scale,
        gives_weights: givesWeights),
      run: ck_run_f32_attention, scratch: ck_scratch_f32_attention)
  }
}

/// The product of two values (see steps/f32-matmul.h).
public struct BatchedProduct: Sendable {
  public let m, n, k: Int
  /// Matrices of one sample.
  public let matrices: Int
  /// Whether one of the factors is a single matrix for all of them.
  public let repeatsA, repeatsB: Bool
  public let transposesB: Bool

  public init(m: Int, n: Int, k: Int, matrices: Int, repeatsA: Bool, repeatsB: Bool, transposesB: Bool) {
    self.m = m
    self.n = n
    self.k = k
    self.matrices = matrices
    self.repeatsA = repeatsA
    self.repeatsB = repeatsB
    self.transposesB = transposesB
  }

  /// What a plan holds of it.
  public var step: PreparedStep {
    let a = m * k, b = k * n
    return PreparedStep(
      "f32_matmul",
      ck_f32_matmul(
        m: m, n: n, k: k, matrices: matrices, a_matrix: repeatsA ? 0 : a, b_matrix: repeatsB ? 0 : b,
        a_count: repeatsA ? a : a * matrices, b_count: repeatsB ? b : b * matrices, transposes_b: transposesB),
      run: ck_run_f32_matmul, scratch: ck_scratch_f32_matmul)
  }
}
