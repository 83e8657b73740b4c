#include "../kernel.h"
#include "arithmetic.h"

void ck_f32_max_pool_scalar(size_t pixels, size_t channels, size_t stride, const void *const *tap,
                            const uint32_t *counts, const float *origin, float *out, int32_t *index) {
  for (size_t i = 0; i < pixels; i++, tap += stride) {
    for (size_t c = 0; c < channels; c++) {
      const float *best = (const float *)tap[0] + c;
      for (size_t t = 1; t < counts[i]; t++) {
        const float *x = (const float *)tap[t] + c;
        if (*x > *best) best = x;
      }
      out[i * channels + c] = *best;
      if (index) index[i * channels + c] = (int32_t)(best - origin);
    }
  }
}

void ck_f32_average_pool_scalar(size_t pixels, size_t channels, size_t stride, const void *const *tap,
                                const uint32_t *counts, float *out) {
  for (size_t i = 0; i < pixels; i++, tap += stride) {
    for (size_t c = 0; c < channels; c++) {
      float sum = ((const float *)tap[0])[c];
      for (size_t t = 1; t < counts[i]; t++) sum += ((const float *)tap[t])[c];
      out[i * channels + c] = sum / (float)counts[i];
    }
  }
}

void ck_u8_max_pool_scalar(size_t pixels, size_t channels, size_t stride, const void *const *tap,
                           const uint32_t *counts, uint8_t *out) {
  for (size_t i = 0; i < pixels; i++, tap += stride) {
    for (size_t c = 0; c < channels; c++) {
      uint8_t best = 0;
      for (size_t t = 0; t < counts[i]; t++) {
        const uint8_t x = ((const uint8_t *)tap[t])[c];
        best = x > best ? x : best;
      }
      out[i * channels + c] = best;
    }
  }
}

void ck_u8_average_pool_scalar(size_t pixels, size_t channels, size_t stride, const void *const *tap,
                               const uint32_t *counts, int32_t zero, float scale, int32_t zero_point, uint8_t *out) {
  for (size_t i = 0; i < pixels; i++, tap += stride) {
    for (size_t c = 0; c < channels; c++) {
      int32_t sum = 0;
      for (size_t t = 0; t < counts[i]; t++) sum += ((const uint8_t *)tap[t])[c] - zero;
      out[i * channels + c] = ck_to_u8((float)sum * scale / (float)counts[i], zero_point, 0, 255);
    }
  }
}
