// C = clamp(start + A B) for a tile of at most GEMM_ROWS x (2 LANES); see ck-kernels.h for the contract.
// Weights that come from memory are asked for GEMM_AHEAD rows early; low tiles leave that to the first, high one.
// Included once per kind of operand: B_TYPE and B_LOAD say how weights are stored, A_AT where A(row, k) is.

INLINE void GEMM(tile)(const size_t m, const size_t vectors, size_t n, size_t k, const float *a, size_t lda,
                       const B_TYPE *b, size_t ldb, const float *start, float *c, size_t ldc, float lo, float hi) {
  vf acc[GEMM_ROWS][2];
  const size_t last = n - (vectors - 1) * LANES;  // lanes of the last vector in use
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) {
      acc[r][v] = start ? vf_load(start + v * LANES)
                        : vf_load_n(c + r * ldc + v * LANES, v + 1 == vectors ? last : LANES);
    }
  }
  for (size_t p = 0; p < k; p++, b += ldb) {
    vf w[2];
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) {
      w[v] = B_LOAD(b + v * LANES);
      if (m > GEMM_ROWS / 2) __builtin_prefetch(b + GEMM_AHEAD * ldb + v * LANES, 0, 2);
    }
#pragma clang loop unroll(full)
    for (size_t r = 0; r < m; r++) {
      const vf x = vf_set(A_AT(a, r, p, lda));
#pragma clang loop unroll(full)
      for (size_t v = 0; v < vectors; v++) acc[r][v] = vf_fma(x, w[v], acc[r][v]);
    }
  }
  const vf low = vf_set(lo), high = vf_set(hi);
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) {
      vf_store_n(c + r * ldc + v * LANES, vf_min(high, vf_max(low, acc[r][v])), v + 1 == vectors ? last : LANES);
    }
  }
}

CK_ENTRY void GEMM_NAME(size_t m, size_t n, size_t k, const float *a, size_t lda, const B_TYPE *b, size_t ldb,
                        const float *start, float *c, size_t ldc, float lo, float hi) {
#define ROWS(i)                                                                       \
  case i:                                                                             \
    if (n > LANES) GEMM(tile)(i, 2, n, k, a, lda, b, ldb, start, c, ldc, lo, hi);     \
    else GEMM(tile)(i, 1, n, k, a, lda, b, ldb, start, c, ldc, lo, hi);               \
    break;
  switch (m) {
    ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6)
#if GEMM_ROWS > 6
    ROWS(7) ROWS(8)
#endif
#if GEMM_ROWS > 8
    ROWS(9) ROWS(10) ROWS(11) ROWS(12) ROWS(13) ROWS(14)
#endif
  }
#undef ROWS
}

#undef GEMM
#undef GEMM_NAME
#undef B_TYPE
#undef B_LOAD
#undef A_AT
