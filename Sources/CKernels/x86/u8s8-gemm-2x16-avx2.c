#if defined(__x86_64__)
#include "../vector/avx2.h"
#include "../vector/names.h"
#include "../include/ck-kernels.h"

// vpmaddubsw saturates its 16-bit sums (255*127*2 does not fit), so both sides are widened to 16 bits and
// vpmaddwd adds pairs in 32 bits, exactly. A column then holds two partial sums, joined at the end.
INLINE void tile(const size_t m, const size_t vectors, size_t n, size_t k, const uint8_t *a, size_t lda,
                 const int8_t *b, size_t width, int32_t *c, size_t ldc) {
  vi acc[2][4];  // four columns each
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < 2 * vectors; v++) acc[r][v] = vi_set(0);
  }
  for (size_t p = 0; p < k; p += 4, b += width * 4) {
    vi x[2];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < m; r++) {
      int32_t four = 0;
      const uint8_t *from = a + r * lda + p;
      if (k - p >= 4) __builtin_memcpy(&four, from, 4);
      else for (size_t i = 0; i < k - p; i++) four |= from[i] << (8 * i);
      x[r] = _mm256_cvtepu8_epi16(_mm_set1_epi32(four));
    }
#pragma clang loop unroll(full)
    for (size_t v = 0; v < 2 * vectors; v++) {
      const vi w = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(b + v * 16)));
#pragma clang loop unroll(full)
      for (size_t r = 0; r < m; r++) acc[r][v] = vi_add(acc[r][v], _mm256_madd_epi16(x[r], w));
    }
  }
  const vi order = _mm256_setr_epi32(0, 1, 4, 5, 2, 3, 6, 7);
  const size_t last = n - (vectors - 1) * LANES;
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) {
      const vi sums = _mm256_permutevar8x32_epi32(_mm256_hadd_epi32(acc[r][2 * v], acc[r][2 * v + 1]), order);
      vi_store_n(c + r * ldc + v * LANES, sums, v + 1 == vectors ? last : LANES);
    }
  }
}

CK_ENTRY void ck_u8s8_gemm_avx2(size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const int8_t *b,
                                size_t width, int32_t *c, size_t ldc) {
  if (m == 2 && n > LANES) tile(2, 2, n, k, a, lda, b, width, c, ldc);
  else if (m == 2) tile(2, 1, n, k, a, lda, b, width, c, ldc);
  else if (n > LANES) tile(1, 2, n, k, a, lda, b, width, c, ldc);
  else tile(1, 1, n, k, a, lda, b, width, c, ldc);
}
#endif
