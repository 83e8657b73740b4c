#if defined(__aarch64__)
#include "../vector/neon.h"
#include "../vector/names.h"
#include "../vector/requantize.h"

// Both sides are widened to 16 bits; a column holds two partial sums of products, joined at the end.
// The result goes to c, or where there is none, requantized to codes.
INLINE void tile(const size_t m, const size_t vectors, size_t n, size_t k, const uint8_t *a, size_t lda,
                 const int8_t *b, size_t width, int32_t *c, const ck_requantization *to, uint8_t *codes, size_t ld) {
  vi acc[4][4];  // two columns each
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < 2 * vectors; v++) acc[r][v] = vi_set(0);
  }
  for (size_t p = 0; p < k; p += 4, b += width * 4) {
    int16x8_t x[4];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < m; r++) {
      uint32_t four = 0;
      const uint8_t *from = a + r * lda + p;
      if (k - p >= 4) __builtin_memcpy(&four, from, 4);
      else for (size_t i = 0; i < k - p; i++) four |= (uint32_t)from[i] << (8 * i);
      x[r] = vreinterpretq_s16_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four))));
    }
#pragma clang loop unroll(full)
    for (size_t v = 0; v < 2 * vectors; v++) {
      const int16x8_t w = vmovl_s8(vld1_s8(b + v * 8));
#pragma clang loop unroll(full)
      for (size_t r = 0; r < m; r++) {
        const vi low = vmull_s16(vget_low_s16(x[r]), vget_low_s16(w)), high = vmull_high_s16(x[r], w);
        acc[r][v] = vaddq_s32(acc[r][v], vpaddq_s32(low, high));
      }
    }
  }
  const size_t last = n - (vectors - 1) * LANES;
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) {
      const vi sums = vpaddq_s32(acc[r][2 * v], acc[r][2 * v + 1]);
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

#define ROWS(i, c, to, codes, ld)                                                  \
  case i:                                                                          \
    if (n > LANES) tile(i, 2, n, k, a, lda, b, width, c, to, codes, ld);           \
    else tile(i, 1, n, k, a, lda, b, width, c, to, codes, ld);                     \
    break;
#define TILES(c, to, codes, ld)                                                    \
  switch (m) {                                                                     \
    ROWS(1, c, to, codes, ld) ROWS(2, c, to, codes, ld)                            \
    ROWS(3, c, to, codes, ld) ROWS(4, c, to, codes, ld)                            \
  }

CK_ENTRY void ck_u8s8_gemm_neon(size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const int8_t *b,
                                size_t width, int32_t *c, size_t ldc) {
  TILES(c, NULL, NULL, ldc)
}

CK_ENTRY void ck_u8s8_gemm_codes_neon(size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const int8_t *b,
                                      size_t width, const ck_requantization *to, uint8_t *out, size_t ld) {
  TILES(NULL, to, out, ld)
}
#endif
