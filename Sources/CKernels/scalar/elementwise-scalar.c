#include "../kernel.h"
#include "arithmetic.h"
#include "half.h"

void ck_f32_add_scalar(size_t n, const float *a, const float *b, float lo, float hi, float *out) {
  for (size_t i = 0; i < n; i++) out[i] = ck_clamp(a[i] + b[i], lo, hi);
}

void ck_f32_add_rows_scalar(size_t rows, size_t columns, const float *a, size_t ld, float *sums) {
  for (size_t r = 0; r < rows; r++, a += ld) {
    for (size_t c = 0; c < columns; c++) sums[c] += a[c];
  }
}

void ck_f32_clamp_scalar(size_t n, const float *a, float lo, float hi, float *out) {
  for (size_t i = 0; i < n; i++) out[i] = ck_clamp(a[i], lo, hi);
}

void ck_f32_hard_swish_scalar(size_t n, const float *a, float *out) {
  for (size_t i = 0; i < n; i++) out[i] = a[i] * ck_clamp(a[i] + 3, 0, 6) / 6;
}

void ck_f32_range_scalar(size_t n, const float *a, float *least, float *greatest) {
  float lo = a[0], hi = a[0];
  for (size_t i = 1; i < n; i++) {
    lo = a[i] < lo ? a[i] : lo;
    hi = a[i] > hi ? a[i] : hi;
  }
  *least = lo + 0.0f;  // -0 becomes 0: which of the two came first must not show
  *greatest = hi + 0.0f;
}

void ck_f32_quantize_scalar(size_t n, const float *a, float inverse_scale, int32_t zero_point, uint8_t *out) {
  for (size_t i = 0; i < n; i++) {
    float q = __builtin_rintf(a[i] * inverse_scale) + (float)zero_point;
    q = q > 0 ? q : 0;  // NaN, too, becomes 0
    out[i] = (uint8_t)(q < 255 ? q : 255);
  }
}

void ck_u8_dequantize_scalar(size_t n, const uint8_t *a, float scale, int32_t zero_point, float *out) {
  for (size_t i = 0; i < n; i++) out[i] = (float)(a[i] - zero_point) * scale;
}

void ck_f32_to_half_scalar(size_t n, const float *a, uint16_t *out) {
  for (size_t i = 0; i < n; i++) out[i] = ck_half_bits(a[i]);
}

void ck_half_to_f32_scalar(size_t n, const uint16_t *a, float *out) {
  for (size_t i = 0; i < n; i++) out[i] = ck_half_float(a[i]);
}
