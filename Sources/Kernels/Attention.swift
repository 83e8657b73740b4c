import CKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Sums of products of codes.
public enum IntegerSums {
  /// So many products of two codes, and differences of two such sums, fit 32 bits.
  public static let most = 16_384
}

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

extension AttentionGeometry {
  /// What a score less than the greatest of its row weighs, of codes: by how far it lies below, in 256ths of a power of e.
  public static var weightTable: [UInt8] {
    (0..<Int(CK_EXPONENTIALS)).map { UInt8((255 * exp(-Double($0) / 256)).rounded(.toNearestOrEven)) }
  }

  /// The same of codes, coded (see steps/u8-attention.h).
  ///
  /// - Precondition: depth and keys are no more than `IntegerSums.most`, and the scale is not negative.
  public func step(
    queries from: AffineQuantization, keys: AffineQuantization, values: AffineQuantization, to: AffineQuantization
  ) -> PreparedStep {
    precondition(depth <= IntegerSums.most && self.keys <= IntegerSums.most && scale >= 0)
    return PreparedStep(
      "u8_attention",
      ck_u8_attention(
        heads: heads, queries: queries, keys: self.keys, depth: depth, width: width, zero_query: from.zeroPoint,
        zero_value: values.zeroPoint, zero_point: to.zeroPoint, limit: to.limit,
        step: from.scale * keys.scale * scale * 256, scale: values.scale / to.scale),
      constants: OwnedMemory(Self.weightTable), run: ck_run_u8_attention, scratch: ck_scratch_u8_attention)
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

  /// The same of codes, coded (see steps/u8-matmul.h).
  ///
  /// - Precondition: k is no more than `IntegerSums.most`.
  public func step(_ from: AffineQuantization, _ other: AffineQuantization, to: AffineQuantization) -> PreparedStep {
    precondition(k <= IntegerSums.most)
    let a = m * k, b = k * n
    return PreparedStep(
      "u8_matmul",
      ck_u8_matmul(
        m: m, n: n, k: k, matrices: matrices, a_matrix: repeatsA ? 0 : a, b_matrix: repeatsB ? 0 : b,
        a_count: repeatsA ? a : a * matrices, b_count: repeatsB ? b : b * matrices, transposes_b: transposesB,
        zero_a: from.zeroPoint, zero_b: other.zeroPoint, zero_point: to.zeroPoint, limit: to.limit,
        scale: from.scale * other.scale / to.scale),
      run: ck_run_u8_matmul, scratch: ck_scratch_u8_matmul)
  }
}
