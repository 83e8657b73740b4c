#include "../kernel.h"
#include "arithmetic.h"

static int32_t depthwise_sum(size_t taps, const void *const *tap, size_t at, const int8_t *weights, size_t channels,
                             size_t c) {
  int32_t sum = 0;
  for (size_t t = 0; t < taps; t++) {
    sum += ((const uint8_t *)tap[t])[at + c] * weights[(t / 4 * channels + c) * 4 + t % 4];
  }
  return sum;
}

void ck_u8s8_depthwise_scalar(size_t pixels, size_t channels, size_t taps, const void *const *tap, size_t step,
                              const int8_t *weights, int32_t *out, size_t ld) {
  for (size_t i = 0; i < pixels; i++) {
    for (size_t c = 0; c < channels; c++) out[i * ld + c] = depthwise_sum(taps, tap, i * step, weights, channels, c);
  }
}

void ck_u8s8_depthwise_codes_scalar(size_t pixels, size_t channels, size_t taps, const void *const *tap, size_t step,
                                    const int8_t *weights, const ck_requantization *to, uint8_t *out, size_t ld) {
  for (size_t i = 0; i < pixels; i++) {
    for (size_t c = 0; c < channels; c++) {
      const int32_t sum = depthwise_sum(taps, tap, i * step, weights, channels, c);
      out[i * ld + c] = ck_to_u8((float)(sum + to->bias[c]) * to->scale[c], to->zero_point, to->lo, to->hi);
    }
  }
}

void ck_i32_dequantize_scalar(size_t rows, size_t n, const int32_t *acc, size_t lda, int32_t zero_point,
                              const int32_t *sums, float input_scale, const float *scale, const float *bias, float lo,
                              float hi, float *out, size_t ld) {
  for (size_t r = 0; r < rows; r++) {
    for (size_t c = 0; c < n; c++) {
      const float x = (float)(acc[r * lda + c] - zero_point * sums[c]);
      out[r * ld + c] = ck_clamp(__builtin_fmaf(x, input_scale * scale[c], bias[c]), lo, hi);
    }
  }
}
