#if defined(__x86_64__)
#include "../vector/avx2.h"
#include "../vector/names.h"
#include "../vector/requantize.h"

// vpmaddubsw saturates its 16-bit sums (255*127*2 does not fit), so both sides are widened to 16 bits and
// vpmaddwd adds pairs in 32 bits, exactly. A column then holds two partial sums, joined at the end.
// The result goes to c, or where there is none, requantized to codes.
INLINE void tile(const size_t m, const size_t vectors, size_t n, size_t k, const uint8_t *a, size_t lda,
                 const int8_t *b, size_t width, int32_t *c, const ck_requantization *to, uint8_t *codes, size_t ld) {
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
      const size_t lanes = v + 1 == vectors ? last : LANES;
      if (c) {
        vi_store_n(c + r * ld + v * LANES, sums, lanes);
      } else {
        const vi biased = vi_add(sums, vi_load_n(to->bias + v * LANES, lanes));
        requantize(biased, vf_load_n(to->scale + v * LANES, lanes), to, codes + r * ld + v * LANES, lanes);
      }
    }
  }
}

#define TILES(c, to, codes, ld)                                           \
  if (m == 2 && n > LANES) tile(2, 2, n, k, a, lda, b, width, c, to, codes, ld); \
  else if (m == 2) tile(2, 1, n, k, a, lda, b, width, c, to, codes, ld);  \
  else if (n > LANES) tile(1, 2, n, k, a, lda, b, width, c, to, codes, ld); \
  else tile(1, 1, n, k, a, lda, b, width, c, to, codes, ld);

CK_ENTRY void ck_u8s8_gemm_avx2(size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const int8_t *b,
                                size_t width, int32_t *c, size_t ldc) {
  TILES(c, NULL, NULL, ldc)
}

CK_ENTRY void ck_u8s8_gemm_codes_avx2(size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const int8_t *b,
                                      size_t width, const ck_requantization *to, uint8_t *out, size_t ld) {
  TILES(NULL, to, out, ld)
}
#endif
