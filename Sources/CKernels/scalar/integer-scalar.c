#include "../include/ck-kernels.h"
#include "arithmetic.h"

void ck_u8s8_depthwise_scalar(size_t pixels, size_t channels, size_t taps, const void *const *tap,
                              const int8_t *weights, int32_t *out, size_t ld) {
  for (size_t i = 0; i < pixels; i++) {
    for (size_t c = 0; c < channels; c++) {
      int32_t sum = 0;
      for (size_t t = 0; t < taps; t++) {
        sum += ((const uint8_t *)tap[i * taps + t])[c] * weights[t * channels + c];
      }
      out[i * ld + c] = sum;
    }
  }
}

void ck_i32_requantize_scalar(size_t rows, size_t n, const int32_t *acc, size_t lda, const int32_t *bias,
                              const float *scale, int32_t zero_point, int32_t lo, int32_t hi, uint8_t *out, size_t ld) {
  for (size_t r = 0; r < rows; r++) {
    for (size_t c = 0; c < n; c++) {
      out[r * ld + c] = ck_to_u8((float)(acc[r * lda + c] + bias[c]) * scale[c], zero_point, lo, hi);
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
