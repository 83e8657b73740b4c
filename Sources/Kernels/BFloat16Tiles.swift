import CKernels

// Panels of pairs of bfloat16 numbers (see ck-bf16.h).

extension PanelLayout {
  /// Rows of B two by two.
  var pairs: Int { ceilDivide(k, 2) }
  /// 32-bit pairs of all panels together; they never take more than float32 panels do.
  var pairCount: Int { paddedColumns * pairs }

  func pairStart(_ panel: Int) -> Int { panel * tile * pairs }

  /// Packs the rows `first..<first + count` of B; (first + p, j) is `from[j * columnStep + p * rowStep]`. Rows before
  /// them are packed already.
  func packPairs(
    _ from: UnsafePointer<Float>, columnStep: Int, rowStep: Int, first: Int = 0, count: Int? = nil,
    into out: UnsafeMutablePointer<UInt32>, panel: Int
  ) {
    ck_bf16_pack(
      columns(panel), width(panel), first, count ?? k, from + panel * tile * columnStep, columnStep, rowStep,
      out + pairStart(panel))
  }
}
