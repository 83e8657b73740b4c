// Integer products by vpmaddubsw, which adds two products in 16 bits and saturates: the weights of a quad are such that
// they fit. vpmaddwd by one then adds the two sums of a column in 32 bits.
#if defined(__x86_64__)
#include <stdbool.h>

#include "../vector/avx2.h"
#include "../vector/names.h"

#include "u8s8-requantize-avx2.h"

enum { TILE_ROWS = 6 };

// The first n < 16 bytes.
INLINE void store_bytes(uint8_t *to, __m128i bytes, size_t n) {
  uint8_t all[16];
  _mm_storeu_si128((__m128i *)all, bytes);
  __builtin_memcpy(to, all, n);
}

// The result goes to codes, or as sums to c.
INLINE void tile(const bool as_codes, const size_t m, const size_t vectors, size_t n, size_t quads, const uint32_t *at,
                 const uint8_t *a, size_t lda, const int8_t *b, size_t width, int32_t *c, const ck_requantization *to,
                 uint8_t *codes, size_t ld) {
  vi acc[TILE_ROWS][2];
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) acc[r][0] = acc[r][1] = vi_set(0);
  for (size_t q = 0; q < quads; q++, b += 4 * width) {
    vi w[2];
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) w[v] = vi_load(b + v * 4 * LANES);
    const uint8_t *from = a + at[q];
#pragma clang loop unroll(full)
    for (size_t r = 0; r < m; r++) {
      int32_t four;
      __builtin_memcpy(&four, from + r * lda, 4);
      const vi x = vi_set(four);
#pragma clang loop unroll(full)
      for (size_t v = 0; v < vectors; v++) acc[r][v] = vi_dot_4(acc[r][v], x, w[v]);
    }
  }
  if (!as_codes) {
#pragma clang loop unroll(full)
    for (size_t r = 0; r < m; r++) {
#pragma clang loop unroll(full)
      for (size_t v = 0; v < vectors; v++) {
        vi_store_n(c + r * ld + v * LANES, acc[r][v], v + 1 == vectors ? n - v * LANES : LANES);
      }
    }
    return;
  }
  const requantizer q = requantizer_of(to);
  vi bias[2];
  vf scale[2];
#pragma clang loop unroll(full)
  for (size_t v = 0; v < 2; v++) {
    const size_t first = v * LANES, lanes = n <= first ? 0 : n - first < LANES ? n - first : LANES;
    bias[v] = vi_load_n(to->bias + first, lanes);
    scale[v] = vf_load_n(to->scale + first, lanes);
  }
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) {
    const vi sums[2] = {vi_add(acc[r][0], bias[0]), vi_add(acc[r][1], bias[1])};
    const __m128i out = requantize_2(q, sums, scale);
    if (n == 2 * LANES) _mm_storeu_si128((__m128i *)(codes + r * ld), out);
    else store_bytes(codes + r * ld, out, n);
  }
}

#define ROWS(i, as_codes, c, to, codes, ld)                                                \
  case i:                                                                                  \
    if (n > LANES) tile(as_codes, i, 2, n, quads, at, a, lda, b, width, c, to, codes, ld); \
    else tile(as_codes, i, 1, n, quads, at, a, lda, b, width, c, to, codes, ld);           \
    break;
#define TILES(...)                                                           \
  switch (m) {                                                               \
    ROWS(1, __VA_ARGS__) ROWS(2, __VA_ARGS__) ROWS(3, __VA_ARGS__)           \
    ROWS(4, __VA_ARGS__) ROWS(5, __VA_ARGS__) ROWS(6, __VA_ARGS__)           \
  }

CK_ENTRY void KERNEL(u8s8_quads)(size_t m, size_t n, size_t quads, const uint32_t *at, const uint8_t *a, size_t lda,
                                 const int8_t *b, size_t width, int32_t *c, size_t ldc) {
  TILES(false, c, NULL, NULL, ldc)
}

CK_ENTRY void KERNEL(u8s8_quads_codes)(size_t m, size_t n, size_t quads, const uint32_t *at, const uint8_t *a,
                                       size_t lda, const int8_t *b, size_t width, const ck_requantization *to,
                                       uint8_t *out, size_t ld) {
  TILES(true, NULL, to, out, ld)
}
#endif
