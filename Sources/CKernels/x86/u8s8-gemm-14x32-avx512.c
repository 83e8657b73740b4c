#if defined(__x86_64__)
#include "../vector/avx512.h"
#include "../vector/names.h"
#include "../include/ck-kernels.h"
#define GEMM_ROWS 14

// One to three bytes at the end of a row.
static __attribute__((noinline)) int32_t ragged(const uint8_t *a, size_t count) {
  int32_t four = 0;
  for (size_t i = 0; i < count; i++) four |= a[i] << (8 * i);
  return four;
}

// vpdpbusd adds four products to each 32-bit lane without saturating on the way.
INLINE void step(const size_t m, const size_t vectors, vi acc[][2], const int32_t *four, const int8_t *b) {
  vi w[2];
#pragma clang loop unroll(full)
  for (size_t v = 0; v < vectors; v++) w[v] = _mm512_loadu_si512(b + v * 4 * LANES);
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) acc[r][v] = _mm512_dpbusd_epi32(acc[r][v], vi_set(four[r]), w[v]);
  }
}

INLINE void tile(const size_t m, const size_t vectors, size_t n, size_t k, const uint8_t *a, size_t lda,
                 const int8_t *b, size_t width, int32_t *c, size_t ldc) {
  vi acc[GEMM_ROWS][2];
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) acc[r][0] = acc[r][1] = vi_set(0);
  int32_t four[GEMM_ROWS];
  size_t p = 0;
#pragma clang loop unroll(disable)
  for (; p + 4 <= k; p += 4, b += width * 4) {
#pragma clang loop unroll(full)
    for (size_t r = 0; r < m; r++) __builtin_memcpy(&four[r], a + r * lda + p, 4);
    step(m, vectors, acc, four, b);
  }
  if (p < k) {
#pragma clang loop unroll(full)
    for (size_t r = 0; r < m; r++) four[r] = ragged(a + r * lda + p, k - p);
    step(m, vectors, acc, four, b);
  }
  const size_t last = n - (vectors - 1) * LANES;
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) {
      vi_store_n(c + r * ldc + v * LANES, acc[r][v], v + 1 == vectors ? last : LANES);
    }
  }
}

CK_ENTRY void ck_u8s8_gemm_avx512(size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const int8_t *b,
                                  size_t width, int32_t *c, size_t ldc) {
#define ROWS(i)                                                   \
  case i:                                                         \
    if (n > LANES) tile(i, 2, n, k, a, lda, b, width, c, ldc);    \
    else tile(i, 1, n, k, a, lda, b, width, c, ldc);              \
    break;
  switch (m) {
    ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6) ROWS(7) ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12) ROWS(13) ROWS(14)
  }
#undef ROWS
}
#endif
