// Depthwise convolution in integers: the bytes under two taps are interleaved and widened, so that vpmaddwd multiplies
// and adds both in 32 bits, exactly. Vectors run along 16 channels.
#if defined(__x86_64__)
#include <stdbool.h>

#include "../vector/avx2.h"
#include "../vector/u8s8-depthwise.inc.h"

#include "u8s8-requantize-avx2.h"

enum {
  BLOCK = 2 * LANES,  // channels at a time
  MOST_TAPS = 64,     // whose weights are widened ahead of the pixels
};

// Weights lie four taps to a channel. Of each four, the first goes with the third and the second with the fourth: that
// way two shifts widen them. weights[pair][v]: of 8 channels.
INLINE void widen(vi weights[][2], size_t taps, size_t channels, const int8_t *from) {
  for (size_t t = 0; t < taps; t += 4, from += 4 * channels, weights += 2) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < 2; v++) {
      const vi four = vi_load(from + v * 4 * LANES);
      weights[0][v] = _mm256_srai_epi16(_mm256_slli_epi16(four, 8), 8);
      weights[1][v] = _mm256_srai_epi16(four, 8);
    }
  }
}

// 16 bytes, in both halves of a vector, where shuffles cannot cross.
INLINE vi load_tap(const uint8_t *tap) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)tap));
}

// sums + both taps of a pair
INLINE void add_pair(vi sums[2], vi first, vi second, const vi weights[2]) {
  const vi widened = _mm256_setr_epi8(0, -1, 1, -1, 2, -1, 3, -1, 4, -1, 5, -1, 6, -1, 7, -1,  //
                                      8, -1, 9, -1, 10, -1, 11, -1, 12, -1, 13, -1, 14, -1, 15, -1);
  const vi low = _mm256_shuffle_epi8(_mm256_unpacklo_epi8(first, second), widened);
  const vi high = _mm256_shuffle_epi8(_mm256_unpackhi_epi8(first, second), widened);
  sums[0] = vi_add(sums[0], _mm256_madd_epi16(low, weights[0]));
  sums[1] = vi_add(sums[1], _mm256_madd_epi16(high, weights[1]));
}

// 16 channels from c on for all pixels. The result goes to codes, or as sums to out.
INLINE void block(const bool as_codes, size_t taps, size_t pixels, size_t channels, const void *const *tap,
                  size_t step, const int8_t *weights, int32_t *out, const ck_requantization *to, uint8_t *codes,
                  size_t ld, size_t c) {
  vi w[MOST_TAPS / 2][2], start[2];
  vf scales[2];
  widen(w, taps, channels, weights + 4 * c);
#pragma clang loop unroll(full)
  for (size_t v = 0; v < 2; v++) {
    start[v] = as_codes ? vi_load(to->bias + c + v * LANES) : vi_set(0);
    scales[v] = as_codes ? vf_load(to->scale + c + v * LANES) : vf_set(0);
  }
  const requantizer q = as_codes ? requantizer_of(to) : (requantizer){0};
  const uint8_t *from[MOST_TAPS];  // not read anew after each store, which may write any byte
  for (size_t t = 0; t < taps; t++) from[t] = tap[t];
  for (size_t i = 0, at = c; i < pixels; i++, at += step) {
    vi sums[2] = {start[0], start[1]};
    size_t t = 0;
    for (; t + 4 <= taps; t += 4) {
      add_pair(sums, load_tap(from[t] + at), load_tap(from[t + 2] + at), w[t / 2]);
      add_pair(sums, load_tap(from[t + 1] + at), load_tap(from[t + 3] + at), w[t / 2 + 1]);
    }
    const vi none = vi_set(0);
    if (t < taps) add_pair(sums, load_tap(from[t] + at), t + 2 < taps ? load_tap(from[t + 2] + at) : none, w[t / 2]);
    if (t + 1 < taps) add_pair(sums, load_tap(from[t + 1] + at), none, w[t / 2 + 1]);
    if (as_codes) {
      _mm_storeu_si128((__m128i *)(void *)(codes + i * ld + c), requantize_2(q, sums, scales));
    } else {
      vi_store(out + i * ld + c, sums[0]);
      vi_store(out + i * ld + c + LANES, sums[1]);
    }
  }
}

// The last channels are computed together with some that were already, so that no vector is cut.
INLINE void blocks(const bool as_codes, size_t taps, size_t pixels, size_t channels, const void *const *tap,
                   size_t step, const int8_t *weights, int32_t *out, const ck_requantization *to, uint8_t *codes,
                   size_t ld) {
  for (size_t c = 0; c < channels; c += BLOCK) {
    const size_t first = c + BLOCK <= channels ? c : channels - BLOCK;
    block(as_codes, taps, pixels, channels, tap, step, weights, out, to, codes, ld, first);
  }
}

// Whether that was possible; 3x3 with its number of taps known when this is compiled.
INLINE bool is_blocked(const bool as_codes, size_t pixels, size_t channels, size_t taps, const void *const *tap,
                       size_t step, const int8_t *weights, int32_t *out, const ck_requantization *to, uint8_t *codes,
                       size_t ld) {
  if (channels < BLOCK || taps > MOST_TAPS) return false;
  if (taps == 9) blocks(as_codes, 9, pixels, channels, tap, step, weights, out, to, codes, ld);
  else blocks(as_codes, taps, pixels, channels, tap, step, weights, out, to, codes, ld);
  return true;
}

CK_ENTRY void KERNEL(u8s8_depthwise)(size_t pixels, size_t channels, size_t taps, const void *const *tap, size_t step,
                                     const int8_t *weights, int32_t *out, size_t ld) {
  if (is_blocked(false, pixels, channels, taps, tap, step, weights, out, NULL, NULL, ld)) return;
  depthwise_sums(pixels, channels, taps, tap, step, weights, out, ld);
}

CK_ENTRY void KERNEL(u8s8_depthwise_codes)(size_t pixels, size_t channels, size_t taps, const void *const *tap,
                                           size_t step, const int8_t *weights, const ck_requantization *to,
                                           uint8_t *out, size_t ld) {
  if (is_blocked(true, pixels, channels, taps, tap, step, weights, NULL, to, out, ld)) return;
  depthwise_codes(pixels, channels, taps, tap, step, weights, to, out, ld);
}
#endif
