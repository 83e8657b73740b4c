#include "../kernel.h"
#include "arithmetic.h"

static inline uint32_t bits_of(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float float_of(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

// Without subnormal numbers.
static inline uint32_t flushed(uint32_t bits) { return bits & 0x7F800000 ? bits : bits & 0x80000000; }

// Rounded to nearest even.
static inline uint32_t bf16(float x) {
  const uint32_t bits = flushed(bits_of(x));
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return bits >> 16 | 0x40;
  return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
}

static inline float multiply_add(uint32_t a, uint32_t b, float sum) {
  return float_of(flushed(bits_of(__builtin_fmaf(float_of(flushed(a)), float_of(flushed(b)), sum))));
}

void ck_bf16_gemm_scalar(size_t m, size_t n, size_t pairs, const uint32_t *a, size_t row_step, size_t pair_step,
                         const uint32_t *b, size_t width, const float *start, float *c, size_t ldc, float lo,
                         float hi) {
  for (size_t i = 0; i < m; i++) {
    for (size_t j = 0; j < n; j++) {
      float sum = start ? start[j] : c[i * ldc + j];
      if (pairs > 0) sum = float_of(flushed(bits_of(sum)));
      for (size_t p = 0; p < pairs; p++) {
        const uint32_t x = a[i * row_step + p * pair_step], w = b[p * width + j];
        sum = multiply_add(x & 0xFFFF0000, w & 0xFFFF0000, sum);
        sum = multiply_add(x << 16, w << 16, sum);
      }
      c[i * ldc + j] = ck_clamp(sum, lo, hi);
    }
  }
}

void ck_bf16_rows_scalar(size_t rows, size_t n, const float *a, size_t lda, uint32_t *out) {
  for (size_t r = 0; r < rows; r++, a += lda) {
    for (size_t j = 0; j < n; j += 2) *out++ = bf16(a[j]) | (j + 1 < n ? bf16(a[j + 1]) << 16 : 0);
  }
}

void ck_bf16_columns_scalar(size_t n, size_t width, size_t k, const float *const *places, uint32_t *out) {
  for (size_t p = 0; p < k; p += 2, out += width) {
    for (size_t j = 0; j < n; j++) out[j] = bf16(places[p][j]) | (p + 1 < k ? bf16(places[p + 1][j]) << 16 : 0);
    for (size_t j = n; j < width; j++) out[j] = 0;
  }
}

void ck_bf16_pack(size_t n, size_t width, size_t first, size_t k, const float *from, size_t column_step,
                  size_t row_step, uint32_t *out) {
  for (size_t p = first; p < first + k; p++, from += row_step) {
    uint32_t *row = out + p / 2 * width;
    if (p % 2 == 0) {
      for (size_t j = 0; j < n; j++) row[j] = bf16(from[j * column_step]);
      for (size_t j = n; j < width; j++) row[j] = 0;
    } else {
      for (size_t j = 0; j < n; j++) row[j] |= bf16(from[j * column_step]) << 16;
    }
  }
}
