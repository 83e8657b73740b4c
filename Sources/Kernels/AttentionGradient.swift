import CKernels

/// The backward pass of scaled dot-product attention: with P what the softmax gave,
///
///     dV = P' dY    dP = dY V'    dS = P * (dP - sum(P * dP)) * scale    dQ = dS K    dK = dS' Q
///
/// for each head of each sample. Every element of a product is one chain of fused multiply-adds in ascending order, from
/// zero; the sum over a row of P * dP is added up key by key.
public struct AttentionGradient: Sendable {
  public enum Input: Int, Sendable {
    case queries, keys, values
  }

  private let geometry: AttentionGeometry
  private let isa: InstructionSet

  public init(_ geometry: AttentionGeometry, isa: InstructionSet = .current) {
    self.geometry = geometry
    self.isa = isa
  }

  private func layout(n: Int, k: Int) -> PanelLayout { PanelLayout(n: n, k: k, isa.kernels.pointee.f32_tile) }

  /// Of the products' right factors: V', K, Q and dY of one head.
  private var layouts: [PanelLayout] {
    let g = geometry
    return [
      layout(n: g.keys, k: g.width), layout(n: g.depth, k: g.keys), layout(n: g.depth, k: g.queries),
      layout(n: g.width, k: g.queries),
    ]
  }

  private var panelCount: Int { layouts.map(\.count).max()! }
  private var zeroCount: Int { layouts.map(\.paddedColumns).max()! }
  private var threadBytes: Int { alignedBytes(panelCount * 4) + alignedBytes(geometry.queries * geometry.keys * 4) }

  /// Scratch that `run` needs.
  public func scratchBytes(threads: Int) -> Int {
    ScratchCursor.padded(alignedBytes(zeroCount * 4) + threads * threadBytes)
  }

  /// Queries, keys and values as `AttentionGeometry.step` takes them, `weights` what its second output was, and
  /// `outputGradient` as its first output; `gradient` is of the input that is named.
  ///
  /// - Precondition: the scratch has at least `scratchBytes(threads:)` bytes.
  public func run(
    _ input: Input, queries: UnsafePointer<Float>, keys: UnsafePointer<Float>, values: UnsafePointer<Float>,
    weights: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    batch: Int, scratch: UnsafeMutableRawBufferPointer, pool: ThreadPool
  ) {
    let g = geometry, (t, s) = (g.queries, g.keys), all = g.heads * g.depth, wide = g.heads * g.width
    var cursor = ScratchCursor(scratch, needed: scratchBytes(threads: pool.threads))
    let zeros = cursor.take(zeroCount, of: Float.self)
    zeros.update(repeating: 0, count: zeroCount)
    let own = (0..<pool.threads).map { _ in
      (panels: cursor.take(panelCount, of: Float.self), slopes: cursor.take(t * s, of: Float.self))
    }
    pool.parallelFor(batch * g.heads) { index, worker in
      let (sample, head) = index.quotientAndRemainder(dividingBy: g.heads), (panels, slopes) = own[worker]
      let p = weights + index * t * s, dy = outputGradient + sample * t * wide + head * g.width
      let products = Products(kernels: isa.kernels, zeros: zeros, panels: panels)
      if input == .values {
        let dv = gradient + sample * s * wide + head * g.width
        products.run(
          rows: s, a: p, lda: s, order: .columns, layout(n: g.width, k: t), b: dy, columnStep: 1, rowStep: wide, c: dv,
          ldc: wide)
        return
      }
      products.run(
        rows: t, a: dy, lda: wide, order: .rows, layout(n: s, k: g.width),
        b: values + sample * s * wide + head * g.width, columnStep: wide, rowStep: 1, c: slopes, ldc: s)
      for row in 0..<t {
        let p = p + row * s, slopes = slopes + row * s
        var sum: Float = 0
        for key in 0..<s { sum += p[key] * slopes[key] }
        for key in 0..<s { slopes[key] = p[key] * (slopes[key] - sum) * g.scale }
      }
      let firstQuery = sample * t * all + head * g.depth, firstKey = sample * s * all + head * g.depth
      if input == .queries {
        products.run(
          rows: t, a: slopes, lda: s, order: .rows, layout(n: g.depth, k: s), b: keys + firstKey, columnStep: 1,
          rowStep: all, c: gradient + firstQuery, ldc: all)
      } else {
        products.run(
          rows: s, a: slopes, lda: s, order: .columns, layout(n: g.depth, k: t), b: queries + firstQuery,
          columnStep: 1, rowStep: all, c: gradient + firstKey, ldc: all)
      }
    }
  }

  /// Products of one thread, whose right factors are packed before each.
  private struct Products {
    let kernels: UnsafePointer<ck_kernels>
    let zeros, panels: UnsafeMutablePointer<Float>

    func run(
      rows: Int, a: UnsafePointer<Float>, lda: Int, order: RowOrder, _ layout: PanelLayout, b: UnsafePointer<Float>,
      columnStep: Int, rowStep: Int, c: UnsafeMutablePointer<Float>, ldc: Int
    ) {
      for panel in 0..<layout.panels {
        layout.pack(b, columnStep: columnStep, rowStep: rowStep, into: panels, panel: panel)
      }
      FloatTileLoop(kernels: kernels, layout: layout, low: -.infinity, high: .infinity).run(
        rows: rows, a: a, lda: lda, order: order, weights: .float32(panels), panels: 0..<layout.panels, start: zeros,
        c: c, ldc: ldc)
    }
  }
}
