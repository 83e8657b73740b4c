#if defined(__x86_64__)
#include <stdbool.h>

#define CK_TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16,avx2,fma,f16c"
#include "../vector/avx512.h"
#include "../vector/names.h"

#define MOST_ROWS 14

INLINE void tile(const size_t m, const size_t vectors, size_t n, size_t pairs, const uint32_t *a, size_t row_step,
                 size_t pair_step, const uint32_t *b, size_t width, const float *start, float *c, size_t ldc, float lo,
                 float hi) {
  vf acc[MOST_ROWS][2];
  const size_t last = n - (vectors - 1) * LANES;
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) {
      acc[r][v] = start ? vf_load(start + v * LANES)
                        : vf_load_n(c + r * ldc + v * LANES, v + 1 == vectors ? last : LANES);
    }
  }
  for (size_t p = 0; p < pairs; p++, a += pair_step, b += width) {
    __m512bh w[2];
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) w[v] = (__m512bh)_mm512_loadu_si512(b + v * LANES);
#pragma clang loop unroll(full)
    for (size_t r = 0; r < m; r++) {
      const __m512bh x = (__m512bh)_mm512_set1_epi32((int32_t)a[r * row_step]);
#pragma clang loop unroll(full)
      for (size_t v = 0; v < vectors; v++) acc[r][v] = _mm512_dpbf16_ps(acc[r][v], x, w[v]);
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

// Where rows of A follow each other without gaps, their addresses are constants to the compiler.
CK_ENTRY void KERNEL(bf16_gemm)(size_t m, size_t n, size_t pairs, const uint32_t *a, size_t row_step, size_t pair_step,
                                const uint32_t *b, size_t width, const float *start, float *c, size_t ldc, float lo,
                                float hi) {
#define TILE(i, vectors, row, pair) tile(i, vectors, n, pairs, a, row, pair, b, width, start, c, ldc, lo, hi)
#define ROWS(i)                                                   \
  case i:                                                         \
    if (n > LANES && row_step == 1) TILE(i, 2, 1, pair_step);     \
    else if (n > LANES) TILE(i, 2, row_step, pair_step);          \
    else TILE(i, 1, row_step, pair_step);                         \
    break;
  switch (m) {
    ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6) ROWS(7)
    ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12) ROWS(13) ROWS(14)
  }
#undef ROWS
#undef TILE
}

CK_ENTRY void KERNEL(bf16_rows)(size_t rows, size_t n, const float *a, size_t lda, uint32_t *out) {
  const size_t pairs = (n + 1) / 2;
  for (size_t r = 0; r < rows; r++, a += lda, out += pairs) {
    for (size_t j = 0; j < n; j += LANES) {
      const size_t lanes = lanes_left(n - j);
      const __m256bh halves = _mm512_cvtneps_pbh(vf_load_n(a + j, lanes));
      _mm256_mask_storeu_epi32(out + j / 2, (__mmask8)((1u << (lanes + 1) / 2) - 1), (__m256i)halves);
    }
  }
}

CK_ENTRY void KERNEL(bf16_columns)(size_t n, size_t width, size_t k, const float *const *places, uint32_t *out) {
  for (size_t p = 0; p < k; p += 2, out += width) {
    const float *even = places[p], *odd = p + 1 < k ? places[p + 1] : 0;
    for (size_t j = 0; j < width; j += LANES) {
      const size_t lanes = j < n ? lanes_left(n - j) : 0;
      const __m256bh x = _mm512_cvtneps_pbh(vf_load_n(even + j, lanes));
      const __m256bh y = _mm512_cvtneps_pbh(odd ? vf_load_n(odd + j, lanes) : vf_set(0));
      const vi low = _mm512_cvtepu16_epi32((__m256i)x), high = _mm512_cvtepu16_epi32((__m256i)y);
      const vi pair = _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
      _mm512_mask_storeu_epi32(out + j, v_mask(lanes_left(width - j)), pair);
    }
  }
}
#endif
