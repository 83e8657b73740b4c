// Integer products where there is no instruction that adds four of them in 32 bits. Both sides are widened to 16 bits,
// so that pairs of products add up exactly, and a column then holds two partial sums, which are joined at the end.
//
// Before: GEMM_ROWS (2 or 4), and in the set's words
//     vw              a vector of 16-bit numbers, four for each of LANES / 2 columns
//     vw_repeat_u8    four bytes, for every column
//     vw_load_s8      2 * LANES numbers
//     vi_pair_sums    of each column x0 w0 + x1 w1 and x2 w2 + x3 w3
//     vi_join         the sums of LANES columns, from the two halves' partial sums
#include "names.h"
#include "requantize.h"

// The result goes to c, or where there is none, requantized to codes.
INLINE void tile(const size_t m, const size_t vectors, size_t n, size_t k, const uint8_t *a, size_t lda,
                 const int8_t *b, size_t width, int32_t *c, const ck_requantization *to, uint8_t *codes, size_t ld) {
  vi acc[GEMM_ROWS][4];
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < 2 * vectors; v++) acc[r][v] = vi_set(0);
  }
  for (size_t p = 0; p < k; p += 4, b += width * 4) {
    vw x[GEMM_ROWS];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < m; r++) {
      uint32_t four = 0;
      const uint8_t *from = a + r * lda + p;
      if (k - p >= 4) __builtin_memcpy(&four, from, 4);
      else for (size_t i = 0; i < k - p; i++) four |= (uint32_t)from[i] << (8 * i);
      x[r] = vw_repeat_u8(four);
    }
#pragma clang loop unroll(full)
    for (size_t v = 0; v < 2 * vectors; v++) {
      const vw w = vw_load_s8(b + v * 2 * LANES);
#pragma clang loop unroll(full)
      for (size_t r = 0; r < m; r++) acc[r][v] = vi_add(acc[r][v], vi_pair_sums(x[r], w));
    }
  }
  const size_t last = n - (vectors - 1) * LANES;
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) {
      const vi sums = vi_join(acc[r][2 * v], acc[r][2 * v + 1]);
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

#define ROWS(i, c, to, codes, ld)                                        \
  case i:                                                                \
    if (n > LANES) tile(i, 2, n, k, a, lda, b, width, c, to, codes, ld); \
    else tile(i, 1, n, k, a, lda, b, width, c, to, codes, ld);           \
    break;
#if GEMM_ROWS == 2
#define TILES(...) \
  switch (m) { ROWS(1, __VA_ARGS__) ROWS(2, __VA_ARGS__) }
#else
#define TILES(...) \
  switch (m) { ROWS(1, __VA_ARGS__) ROWS(2, __VA_ARGS__) ROWS(3, __VA_ARGS__) ROWS(4, __VA_ARGS__) }
#endif

CK_ENTRY void KERNEL(u8s8_gemm)(size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const int8_t *b,
                                size_t width, int32_t *c, size_t ldc) {
  TILES(c, NULL, NULL, ldc)
}

CK_ENTRY void KERNEL(u8s8_gemm_codes)(size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const int8_t *b,
                                      size_t width, const ck_requantization *to, uint8_t *out, size_t ld) {
  TILES(NULL, to, out, ld)
}
