#if defined(__x86_64__)
#include <stdbool.h>

#include "../vector/avx512.h"
#include "../vector/names.h"
#include "u8s8-requantize-avx512.h"

// Four taps of 64 channels are interleaved, so that vpdpbusd adds four products to each channel's sum. Unpacking works
// within 128-bit lanes, so that vector j then holds, in lane i, the channels 16 i + 4 j ..< 16 i + 4 j + 4: weights,
// bias and scales are put into that order, and packing the codes undoes it.
enum { block = 64 };

INLINE __mmask64 byte_mask(size_t n) { return n >= 64 ? ~0ull : (1ull << n) - 1; }

// The 4x4 transpose of 128-bit lanes: from vectors of 16 neighbouring channels to the order above, and back.
INLINE void transpose_lanes(vi x[4]) {
  const vi a = _mm512_shuffle_i32x4(x[0], x[1], 0x44), b = _mm512_shuffle_i32x4(x[0], x[1], 0xEE);
  const vi c = _mm512_shuffle_i32x4(x[2], x[3], 0x44), d = _mm512_shuffle_i32x4(x[2], x[3], 0xEE);
  x[0] = _mm512_shuffle_i32x4(a, c, 0x88);
  x[1] = _mm512_shuffle_i32x4(a, c, 0xDD);
  x[2] = _mm512_shuffle_i32x4(b, d, 0x88);
  x[3] = _mm512_shuffle_i32x4(b, d, 0xDD);
}

// n of 64 consecutive 32-bit numbers, in the order above.
INLINE void load_ordered(vi x[4], const void *from, size_t n) {
#pragma clang loop unroll(full)
  for (size_t v = 0; v < 4; v++) {
    x[v] = vi_load_n((const int32_t *)from + v * 16, n > v * 16 ? lanes_left(n - v * 16) : 0);
  }
  transpose_lanes(x);
}

INLINE vi load_tap(const void *tap, size_t at, __mmask64 mask) {
  return _mm512_maskz_loadu_epi8(mask, (const uint8_t *)tap + at);
}

// sum += the products of `count` (1 to 4) taps
INLINE void add_group(vi sum[4], const size_t count, const void *const *tap, size_t at, __mmask64 mask,
                      const vi w[4]) {
  const vi none = vi_set(0);
  const vi x0 = load_tap(tap[0], at, mask), x1 = count > 1 ? load_tap(tap[1], at, mask) : none;
  const vi x2 = count > 2 ? load_tap(tap[2], at, mask) : none, x3 = count > 3 ? load_tap(tap[3], at, mask) : none;
  const vi a = _mm512_unpacklo_epi8(x0, x1), b = _mm512_unpackhi_epi8(x0, x1);
  const vi c = _mm512_unpacklo_epi8(x2, x3), d = _mm512_unpackhi_epi8(x2, x3);
  sum[0] = _mm512_dpbusd_epi32(sum[0], _mm512_unpacklo_epi16(a, c), w[0]);
  sum[1] = _mm512_dpbusd_epi32(sum[1], _mm512_unpackhi_epi16(a, c), w[1]);
  sum[2] = _mm512_dpbusd_epi32(sum[2], _mm512_unpacklo_epi16(b, d), w[2]);
  sum[3] = _mm512_dpbusd_epi32(sum[3], _mm512_unpackhi_epi16(b, d), w[3]);
}

// The sums of one pixel, added to `sum`. The weights of a 3x3 kernel are in `w`, others are read.
INLINE void add_taps(vi sum[4], const bool is_3x3, size_t taps, const void *const *tap, size_t at, size_t n,
                     size_t channels, const int8_t *weights, const vi w[3][4]) {
  const __mmask64 mask = byte_mask(n);
  if (is_3x3) {
    add_group(sum, 4, tap, at, mask, w[0]);
    add_group(sum, 4, tap + 4, at, mask, w[1]);
    add_group(sum, 1, tap + 8, at, mask, w[2]);
    return;
  }
  for (size_t t = 0; t < taps; t += 4) {
    vi more[4];
    load_ordered(more, weights + t * channels, n);
    if (taps - t >= 4) add_group(sum, 4, tap + t, at, mask, more);
    else add_group(sum, taps - t, tap + t, at, mask, more);
  }
}

// Up to 64 channels of all pixels.
INLINE void sum_block(const bool is_3x3, size_t n, size_t pixels, size_t channels, size_t taps, const void *const *tap,
                      size_t step, size_t c, const int8_t *weights, int32_t *out, size_t ld) {
  vi w[3][4];
  for (size_t g = 0; is_3x3 && g < 3; g++) load_ordered(w[g], weights + g * channels * 4, n);
  for (size_t i = 0, at = c; i < pixels; i++, at += step, out += ld) {
    vi sum[4] = {vi_set(0), vi_set(0), vi_set(0), vi_set(0)};
    add_taps(sum, is_3x3, taps, tap, at, n, channels, weights, w);
    transpose_lanes(sum);
    for (size_t v = 0; v * 16 < n; v++) vi_store_n(out + v * 16, sum[v], lanes_left(n - v * 16));
  }
}

INLINE void code_block(const bool is_3x3, size_t n, size_t pixels, size_t channels, size_t taps,
                       const void *const *tap, size_t step, size_t c, const int8_t *weights,
                       const ck_requantization *to, uint8_t *out, size_t ld) {
  vi w[3][4], bias[4], scale[4];
  for (size_t g = 0; is_3x3 && g < 3; g++) load_ordered(w[g], weights + g * channels * 4, n);
  load_ordered(bias, to->bias + c, n);
  load_ordered(scale, to->scale + c, n);
  const vf scales[4] = {_mm512_castsi512_ps(scale[0]), _mm512_castsi512_ps(scale[1]), _mm512_castsi512_ps(scale[2]),
                        _mm512_castsi512_ps(scale[3])};
  const requantizer q = requantizer_of(to);
  const __mmask64 mask = byte_mask(n);
  for (size_t i = 0, at = c; i < pixels; i++, at += step, out += ld) {
    vi sum[4] = {bias[0], bias[1], bias[2], bias[3]};
    add_taps(sum, is_3x3, taps, tap, at, n, channels, weights, w);
    _mm512_mask_storeu_epi8(out, mask, requantize_4(q, sum, scales));
  }
}

#define BLOCKS(BLOCK, is_3x3, ...)                                                                            \
  for (size_t c = 0; c < channels; c += block) {                                                              \
    if (channels - c >= block) BLOCK(is_3x3, block, pixels, channels, taps, tap, step, c, weights + c * 4, __VA_ARGS__); \
    else BLOCK(is_3x3, channels - c, pixels, channels, taps, tap, step, c, weights + c * 4, __VA_ARGS__);     \
  }

CK_ENTRY void ck_u8s8_depthwise_avx512(size_t pixels, size_t channels, size_t taps, const void *const *tap,
                                       size_t step, const int8_t *weights, int32_t *out, size_t ld) {
  if (taps == 9) BLOCKS(sum_block, true, out + c, ld)
  else BLOCKS(sum_block, false, out + c, ld)
}

CK_ENTRY void ck_u8s8_depthwise_codes_avx512(size_t pixels, size_t channels, size_t taps, const void *const *tap,
                                             size_t step, const int8_t *weights, const ck_requantization *to,
                                             uint8_t *out, size_t ld) {
  if (taps == 9) BLOCKS(code_block, true, to, out + c, ld)
  else BLOCKS(code_block, false, to, out + c, ld)
}
#endif
