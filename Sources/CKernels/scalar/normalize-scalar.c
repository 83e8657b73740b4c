#include "../kernel.h"
#include "arithmetic.h"

void ck_f32_add_squares_scalar(size_t rows, size_t columns, const float *a, const float *center, float *sums) {
  for (size_t r = 0; r < rows; r++, a += columns) {
    for (size_t c = 0; c < columns; c++) sums[c] = __builtin_fmaf(a[c] - center[c], a[c] - center[c], sums[c]);
  }
}

static float normalized(const ck_normalization *norm, size_t c, float x) {
  return __builtin_fmaf(x - norm->center[c], norm->scale[c], norm->shift[c]);
}

static float passing(const ck_normalization *norm, size_t c, float x, float dy) {
  const float y = normalized(norm, c, x);
  return y > norm->lo && y < norm->hi ? dy : 0;
}

void ck_f32_normalize_scalar(size_t rows, size_t columns, const ck_normalization *norm, const float *x, float *y) {
  for (size_t r = 0; r < rows; r++, x += columns, y += columns) {
    for (size_t c = 0; c < columns; c++) y[c] = ck_clamp(normalized(norm, c, x[c]), norm->lo, norm->hi);
  }
}

void ck_f32_normalize_sums_scalar(size_t rows, size_t columns, const ck_normalization *norm, const float *x,
                                  const float *dy, float *sums, float *products) {
  for (size_t r = 0; r < rows; r++, x += columns, dy += columns) {
    for (size_t c = 0; c < columns; c++) {
      const float g = passing(norm, c, x[c], dy[c]);
      sums[c] += g;
      products[c] = __builtin_fmaf(g, x[c] - norm->center[c], products[c]);
    }
  }
}

void ck_f32_normalize_gradient_scalar(size_t rows, size_t columns, const ck_normalization *norm, const float *x,
                                      const float *dy, const float *mean, const float *slope, float *dx) {
  for (size_t r = 0; r < rows; r++, x += columns, dy += columns, dx += columns) {
    for (size_t c = 0; c < columns; c++) {
      const float rest = passing(norm, c, x[c], dy[c]) - mean[c];
      dx[c] = __builtin_fmaf(norm->center[c] - x[c], slope[c], rest) * norm->scale[c];
    }
  }
}
