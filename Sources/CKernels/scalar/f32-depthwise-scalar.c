#include "../kernel.h"
#include "arithmetic.h"

void ck_f32_depthwise_scalar(size_t pixels, size_t channels, size_t taps, const void *const *tap, size_t step,
                             const float *weights, const float *bias, float *out, size_t ld, float lo, float hi) {
  for (size_t i = 0; i < pixels; i++) {
    for (size_t c = 0; c < channels; c++) {
      float sum = bias[c];
      for (size_t t = 0; t < taps; t++) {
        sum = __builtin_fmaf(((const float *)tap[t])[i * step + c], weights[t * channels + c], sum);
      }
      out[i * ld + c] = ck_clamp(sum, lo, hi);
    }
  }
}

void ck_f32_depthwise_spread_scalar(size_t pixels, size_t channels, size_t taps, void *const *tap, size_t step,
                                    const float *weights, const float *g, size_t ld) {
  for (size_t i = 0; i < pixels; i++) {
    for (size_t t = 0; t < taps; t++) {
      float *to = (float *)tap[t] + i * step;
      for (size_t c = 0; c < channels; c++) to[c] = __builtin_fmaf(g[i * ld + c], weights[t * channels + c], to[c]);
    }
  }
}

void ck_f32_depthwise_gather_scalar(size_t pixels, size_t channels, size_t taps, const void *const *tap, size_t step,
                                    const float *g, size_t ld, float *weights) {
  for (size_t i = 0; i < pixels; i++) {
    for (size_t t = 0; t < taps; t++) {
      const float *from = (const float *)tap[t] + i * step;
      float *to = weights + t * channels;
      for (size_t c = 0; c < channels; c++) to[c] = __builtin_fmaf(from[c], g[i * ld + c], to[c]);
    }
  }
}
