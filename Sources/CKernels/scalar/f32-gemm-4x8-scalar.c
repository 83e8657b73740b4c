#include "../kernel.h"
#include "arithmetic.h"
#include "half.h"

void ck_f32_gemm_scalar(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                        const float *start, float *c, size_t ldc, float lo, float hi) {
  for (size_t i = 0; i < m; i++) {
    for (size_t j = 0; j < n; j++) {
      float sum = start ? start[j] : c[i * ldc + j];
      for (size_t p = 0; p < k; p++) sum = __builtin_fmaf(a[i * lda + p], b[p * ldb + j], sum);
      c[i * ldc + j] = ck_clamp(sum, lo, hi);
    }
  }
}

void ck_f32_gemm_half_scalar(size_t m, size_t n, size_t k, const float *a, size_t lda, const uint16_t *b, size_t ldb,
                             const float *start, float *c, size_t ldc, float lo, float hi) {
  for (size_t i = 0; i < m; i++) {
    for (size_t j = 0; j < n; j++) {
      float sum = start ? start[j] : c[i * ldc + j];
      for (size_t p = 0; p < k; p++) {
        sum = __builtin_fmaf(a[i * lda + p], ck_half_float(b[p * ldb + j]), sum);
      }
      c[i * ldc + j] = ck_clamp(sum, lo, hi);
    }
  }
}

void ck_f32_gemm_columns_scalar(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                                const float *start, float *c, size_t ldc, float lo, float hi) {
  for (size_t i = 0; i < m; i++) {
    for (size_t j = 0; j < n; j++) {
      float sum = start ? start[j] : c[i * ldc + j];
      for (size_t p = 0; p < k; p++) sum = __builtin_fmaf(a[p * lda + i], b[p * ldb + j], sum);
      c[i * ldc + j] = ck_clamp(sum, lo, hi);
    }
  }
}

void ck_f32_gemm_pixels_scalar(size_t m, size_t n, const ck_pixels *pixels, const float *a, const float *b, float *c,
                               size_t ldc) {
  for (size_t i = 0; i < m; i++) {
    for (size_t j = 0; j < n; j++) {
      float sum = 0;
      for (size_t image = 0; image < pixels->images; image++) {
        for (size_t y = 0; y < pixels->rows; y++) {
          const float *x = a + image * pixels->a_image + y * pixels->a_row + i;
          const float *z = b + image * pixels->b_image + y * pixels->b_row + j;
          for (size_t p = 0; p < pixels->columns; p++) {
            sum = __builtin_fmaf(x[p * pixels->a_column], z[p * pixels->b_column], sum);
          }
        }
      }
      c[i * ldc + j] += sum;
    }
  }
}
