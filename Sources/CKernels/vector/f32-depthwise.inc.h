// Depthwise convolution and its gradients over tap pointers; vectors run along the channels.
#include "names.h"

// A vector of channels for `count` pixels, so that a weight is read once for all of them.
INLINE void depthwise_pixels(const size_t count, const size_t n, size_t channels, size_t taps, const void *const *tap,
                             size_t at, size_t step, const float *weights, vf start, float *out, size_t ld, vf low,
                             vf high) {
  vf sum[4] = {start, start, start, start};
  for (size_t t = 0; t < taps; t++, weights += channels) {
    const vf w = vf_load_n(weights, n);
    const float *from = (const float *)tap[t] + at;
#pragma clang loop unroll(full)
    for (size_t i = 0; i < count; i++) sum[i] = vf_fma(vf_load_n(from + i * step, n), w, sum[i]);
  }
#pragma clang loop unroll(full)
  for (size_t i = 0; i < count; i++) vf_store_n(out + i * ld, vf_min(high, vf_max(low, sum[i])), n);
}

// A vector of channels for all pixels.
INLINE void depthwise_block(const size_t n, size_t pixels, size_t channels, size_t taps, const void *const *tap,
                            size_t step, const float *weights, const float *bias, float *out, size_t ld, vf low,
                            vf high, size_t c) {
  const vf start = vf_load_n(bias + c, n);
  size_t i = 0, at = c;
  for (; i + 4 <= pixels; i += 4, at += 4 * step) {
    depthwise_pixels(4, n, channels, taps, tap, at, step, weights + c, start, out + i * ld + c, ld, low, high);
  }
  for (; i < pixels; i++, at += step) {
    depthwise_pixels(1, n, channels, taps, tap, at, step, weights + c, start, out + i * ld + c, ld, low, high);
  }
}

// The same for a kernel of 3x3, whose weights stay in registers.
INLINE void depthwise_block_9(const size_t n, size_t pixels, size_t channels, const void *const *tap, size_t step,
                              const float *weights, const float *bias, float *out, size_t ld, vf low, vf high,
                              size_t c) {
  const vf start = vf_load_n(bias + c, n);
  const float *from[9];
  vf w[9];
#pragma clang loop unroll(full)
  for (size_t t = 0; t < 9; t++) {
    from[t] = (const float *)tap[t] + c;
    w[t] = vf_load_n(weights + t * channels + c, n);
  }
  for (size_t i = 0, at = 0; i < pixels; i++, at += step) {
    vf sum = start;
#pragma clang loop unroll(full)
    for (size_t t = 0; t < 9; t++) sum = vf_fma(vf_load_n(from[t] + at, n), w[t], sum);
    vf_store_n(out + i * ld + c, vf_min(high, vf_max(low, sum)), n);
  }
}

CK_ENTRY void KERNEL(f32_depthwise)(size_t pixels, size_t channels, size_t taps, const void *const *tap, size_t step,
                                    const float *weights, const float *bias, float *out, size_t ld, float lo,
                                    float hi) {
  const vf low = vf_set(lo), high = vf_set(hi);
  const size_t whole = channels / LANES * LANES, rest = channels - whole;
  if (taps == 9) {
    for (size_t c = 0; c < whole; c += LANES) {
      depthwise_block_9(LANES, pixels, channels, tap, step, weights, bias, out, ld, low, high, c);
    }
    if (rest) depthwise_block_9(rest, pixels, channels, tap, step, weights, bias, out, ld, low, high, whole);
  } else {
    for (size_t c = 0; c < whole; c += LANES) {
      depthwise_block(LANES, pixels, channels, taps, tap, step, weights, bias, out, ld, low, high, c);
    }
    if (rest) depthwise_block(rest, pixels, channels, taps, tap, step, weights, bias, out, ld, low, high, whole);
  }
}

CK_ENTRY void KERNEL(f32_depthwise_spread)(size_t pixels, size_t channels, size_t taps, void *const *tap, size_t step,
                                           const float *weights, const float *g, size_t ld) {
  for (size_t i = 0, at = 0; i < pixels; i++, at += step, g += ld) {
    for (size_t c = 0; c < channels; c += LANES) {
      const size_t n = lanes_left(channels - c);
      const vf slope = vf_load_n(g + c, n);
      for (size_t t = 0; t < taps; t++) {
        float *to = (float *)tap[t] + at + c;
        vf_store_n(to, vf_fma(slope, vf_load_n(weights + t * channels + c, n), vf_load_n(to, n)), n);
      }
    }
  }
}

CK_ENTRY void KERNEL(f32_depthwise_gather)(size_t pixels, size_t channels, size_t taps, const void *const *tap,
                                           size_t step, const float *g, size_t ld, float *weights) {
  for (size_t c = 0; c < channels; c += LANES) {
    const size_t n = lanes_left(channels - c);
    for (size_t t = 0; t < taps; t++) {
      const float *from = (const float *)tap[t] + c;
      vf sum = vf_load_n(weights + t * channels + c, n);
      for (size_t i = 0; i < pixels; i++) {
        sum = vf_fma(vf_load_n(from + i * step, n), vf_load_n(g + i * ld + c, n), sum);
      }
      vf_store_n(weights + t * channels + c, sum, n);
    }
  }
}
