#include "../include/ck-kernels.h"

void ck_u8s8_gemm_scalar(size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const int8_t *b, size_t width,
                         int32_t *c, size_t ldc) {
  for (size_t i = 0; i < m; i++) {
    for (size_t j = 0; j < n; j++) {
      int32_t sum = 0;
      for (size_t p = 0; p < k; p++) sum += a[i * lda + p] * b[(p / 4 * width + j) * 4 + p % 4];
      c[i * ldc + j] = sum;
    }
  }
}
