// Depthwise convolution in integers; vectors run along the channels.
#include "names.h"
#include "requantize.h"

INLINE vi depthwise_sum(vi start, size_t n, size_t channels, size_t taps, const void *const *tap, size_t at,
                        const int8_t *weights) {
  vi sum = start;
  for (size_t t = 0; t < taps; t += 4, weights += channels * 4) {
    vi four = vi_load_n((const int32_t *)(const void *)weights, n);
    const size_t end = taps - t < 4 ? taps : t + 4;
    for (size_t u = t; u < end; u++, four = vi_next_byte(four)) {
      sum = vi_add(sum, vi_mul(vi_load_u8_n((const uint8_t *)tap[u] + at, n), vi_first_s8(four)));
    }
  }
  return sum;
}

INLINE void depthwise_sums(size_t pixels, size_t channels, size_t taps, const void *const *tap, size_t step,
                           const int8_t *weights, int32_t *out, size_t ld) {
  for (size_t i = 0; i < pixels; i++, out += ld) {
    for (size_t c = 0; c < channels; c += LANES) {
      const size_t n = lanes_left(channels - c);
      vi_store_n(out + c, depthwise_sum(vi_set(0), n, channels, taps, tap, i * step + c, weights + c * 4), n);
    }
  }
}

INLINE void depthwise_codes(size_t pixels, size_t channels, size_t taps, const void *const *tap, size_t step,
                            const int8_t *weights, const ck_requantization *to, uint8_t *out, size_t ld) {
  for (size_t i = 0; i < pixels; i++, out += ld) {
    for (size_t c = 0; c < channels; c += LANES) {
      const size_t n = lanes_left(channels - c);
      const vi start = vi_load_n(to->bias + c, n);
      const vi sum = depthwise_sum(start, n, channels, taps, tap, i * step + c, weights + c * 4);
      requantize(sum, vf_load_n(to->scale + c, n), to, out + c, n);
    }
  }
}
