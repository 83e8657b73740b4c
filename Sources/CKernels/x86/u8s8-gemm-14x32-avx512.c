#if defined(__x86_64__)
#include "../vector/avx512.h"
#include "../vector/names.h"
#include "u8s8-requantize-avx512.h"
#define GEMM_ROWS 14
// Weights that come from memory are asked for so many groups of four early; low tiles leave that to the first, high one.
enum { ahead = 32 };

// One to three bytes at the end of a row.
static __attribute__((noinline)) int32_t ragged(const uint8_t *a, size_t count) {
  int32_t four = 0;
  for (size_t i = 0; i < count; i++) four |= a[i] << (8 * i);
  return four;
}

// vpdpbusd adds four products to each 32-bit lane without saturating on the way.
INLINE void step(const size_t m, const size_t vectors, vi acc[][2], const int32_t *four, const int8_t *b,
                 size_t width) {
  vi w[2];
#pragma clang loop unroll(full)
  for (size_t v = 0; v < vectors; v++) {
    w[v] = _mm512_loadu_si512(b + v * 4 * LANES);
    if (m > GEMM_ROWS / 2) __builtin_prefetch(b + ahead * width * 4 + v * 4 * LANES, 0, 2);
  }
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) acc[r][v] = _mm512_dpbusd_epi32(acc[r][v], vi_set(four[r]), w[v]);
  }
}

// acc += A B
INLINE void sum(const size_t m, const size_t vectors, vi acc[][2], size_t k, const uint8_t *a, size_t lda,
                const int8_t *b, size_t width) {
  int32_t four[GEMM_ROWS];
  size_t p = 0;
#pragma clang loop unroll(disable)
  for (; p + 4 <= k; p += 4, b += width * 4) {
#pragma clang loop unroll(full)
    for (size_t r = 0; r < m; r++) __builtin_memcpy(&four[r], a + r * lda + p, 4);
    step(m, vectors, acc, four, b, width);
  }
  if (p < k) {
#pragma clang loop unroll(full)
    for (size_t r = 0; r < m; r++) four[r] = ragged(a + r * lda + p, k - p);
    step(m, vectors, acc, four, b, width);
  }
}

INLINE void tile(const size_t m, const size_t vectors, size_t n, size_t k, const uint8_t *a, size_t lda,
                 const int8_t *b, size_t width, int32_t *c, size_t ldc) {
  vi acc[GEMM_ROWS][2];
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) acc[r][0] = acc[r][1] = vi_set(0);
  sum(m, vectors, acc, k, a, lda, b, width);
  const size_t last = n - (vectors - 1) * LANES;
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) {
      vi_store_n(c + r * ldc + v * LANES, acc[r][v], v + 1 == vectors ? last : LANES);
    }
  }
}

// Sums start from the bias; two rows of up to 32 codes are requantized at a time.
INLINE void code_tile(const size_t m, const size_t vectors, size_t n, size_t k, const uint8_t *a, size_t lda,
                      const int8_t *b, size_t width, const ck_requantization *to, uint8_t *out, size_t ld) {
  vi acc[GEMM_ROWS][2];
  const size_t last = n - (vectors - 1) * LANES;
  vi bias[2] = {vi_set(0), vi_set(0)};
#pragma clang loop unroll(full)
  for (size_t v = 0; v < vectors; v++) bias[v] = vi_load_n(to->bias + v * LANES, v + 1 == vectors ? last : LANES);
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) {
    acc[r][0] = bias[0];
    acc[r][1] = bias[1];
  }
  sum(m, vectors, acc, k, a, lda, b, width);
  vf scale[2] = {vf_set(0), vf_set(0)};
#pragma clang loop unroll(full)
  for (size_t v = 0; v < vectors; v++) scale[v] = vf_load_n(to->scale + v * LANES, v + 1 == vectors ? last : LANES);
  const requantizer q = requantizer_of(to);
  const __mmask32 mask = (__mmask32)((1ull << n) - 1);
  const vi order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r += 2) {
    const size_t next = r + 1 < m ? r + 1 : r;
    const vi sums[4] = {acc[r][0], acc[r][1], acc[next][0], acc[next][1]};
    const vf scales[4] = {scale[0], scale[1], scale[0], scale[1]};
    const vi codes = _mm512_permutexvar_epi32(order, requantize_4(q, sums, scales));
    _mm256_mask_storeu_epi8(out + r * ld, mask, _mm512_castsi512_si256(codes));
    if (next > r) _mm256_mask_storeu_epi8(out + next * ld, mask, _mm512_extracti64x4_epi64(codes, 1));
  }
}

#define ROWS(i, TILE, ...)                     \
  case i:                                      \
    if (n > LANES) TILE(i, 2, __VA_ARGS__);    \
    else TILE(i, 1, __VA_ARGS__);              \
    break;
#define TILES(...)                                                                                         \
  switch (m) {                                                                                             \
    ROWS(1, __VA_ARGS__) ROWS(2, __VA_ARGS__) ROWS(3, __VA_ARGS__) ROWS(4, __VA_ARGS__)                    \
    ROWS(5, __VA_ARGS__) ROWS(6, __VA_ARGS__) ROWS(7, __VA_ARGS__) ROWS(8, __VA_ARGS__)                    \
    ROWS(9, __VA_ARGS__) ROWS(10, __VA_ARGS__) ROWS(11, __VA_ARGS__) ROWS(12, __VA_ARGS__)                 \
    ROWS(13, __VA_ARGS__) ROWS(14, __VA_ARGS__)                                                            \
  }

CK_ENTRY void ck_u8s8_gemm_avx512(size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const int8_t *b,
                                  size_t width, int32_t *c, size_t ldc) {
  TILES(tile, n, k, a, lda, b, width, c, ldc)
}

CK_ENTRY void ck_u8s8_gemm_codes_avx512(size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const int8_t *b,
                                        size_t width, const ck_requantization *to, uint8_t *out, size_t ld) {
  TILES(code_tile, n, k, a, lda, b, width, to, out, ld)
}
#endif
