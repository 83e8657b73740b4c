#include "../kernel.h"
#include "arithmetic.h"

static int32_t sum_of(size_t quads, const uint32_t *at, const uint8_t *a, const int8_t *b, size_t width,
                      size_t column) {
  int32_t sum = 0;
  for (size_t q = 0; q < quads; q++) {
    for (size_t i = 0; i < 4; i++) sum += a[at[q] + i] * b[(q * width + column) * 4 + i];
  }
  return sum;
}

void ck_u8s8_quads_scalar(size_t m, size_t n, size_t quads, const uint32_t *at, const uint8_t *a, size_t lda,
                          const int8_t *b, size_t width, int32_t *c, size_t ldc) {
  for (size_t i = 0; i < m; i++) {
    for (size_t j = 0; j < n; j++) c[i * ldc + j] = sum_of(quads, at, a + i * lda, b, width, j);
  }
}

void ck_u8s8_quads_codes_scalar(size_t m, size_t n, size_t quads, const uint32_t *at, const uint8_t *a, size_t lda,
                                const int8_t *b, size_t width, const ck_requantization *to, uint8_t *out, size_t ld) {
  for (size_t i = 0; i < m; i++) {
    for (size_t j = 0; j < n; j++) {
      const float x = (float)(sum_of(quads, at, a + i * lda, b, width, j) + to->bias[j]) * to->scale[j];
      out[i * ld + j] = ck_to_u8(x, to->zero_point, to->lo, to->hi);
    }
  }
}
