// Batch normalization, there and back.
#include "names.h"

CK_ENTRY void KERNEL(f32_add_squares)(size_t rows, size_t columns, const float *a, const float *center, float *sums) {
  for (size_t c = 0; c < columns; c += LANES) {
    const size_t left = lanes_left(columns - c);
    const vf middle = vf_load_n(center + c, left);
    vf sum = vf_load_n(sums + c, left);
    for (size_t r = 0; r < rows; r++) {
      const vf d = vf_sub(vf_load_n(a + r * columns + c, left), middle);
      sum = vf_fma(d, d, sum);
    }
    vf_store_n(sums + c, sum, left);
  }
}

// The parameters of one vector of columns.
typedef struct {
  vf center, scale, shift, low, high;
} columns_of;

INLINE columns_of columns_at(const ck_normalization *norm, size_t c, size_t left) {
  return (columns_of){vf_load_n(norm->center + c, left), vf_load_n(norm->scale + c, left),
                      vf_load_n(norm->shift + c, left), vf_set(norm->lo), vf_set(norm->hi)};
}

INLINE vf passing(const columns_of *n, vf from_center, vf dy) {
  const vf y = vf_fma(from_center, n->scale, n->shift), zero = vf_set(0);
  return vf_pick_greater(y, n->low, zero, vf_pick_greater(n->high, y, zero, dy));
}

CK_ENTRY void KERNEL(f32_normalize)(size_t rows, size_t columns, const ck_normalization *norm, const float *x,
                                    float *y) {
  for (size_t r = 0; r < rows; r++, x += columns, y += columns) {
    for (size_t c = 0; c < columns; c += LANES) {
      const size_t left = lanes_left(columns - c);
      const columns_of n = columns_at(norm, c, left);
      const vf value = vf_fma(vf_sub(vf_load_n(x + c, left), n.center), n.scale, n.shift);
      vf_store_n(y + c, vf_min(n.high, vf_max(n.low, value)), left);
    }
  }
}

CK_ENTRY void KERNEL(f32_normalize_sums)(size_t rows, size_t columns, const ck_normalization *norm, const float *x,
                                         const float *dy, float *sums, float *products) {
  for (size_t c = 0; c < columns; c += LANES) {
    const size_t left = lanes_left(columns - c);
    const columns_of n = columns_at(norm, c, left);
    vf sum = vf_load_n(sums + c, left), product = vf_load_n(products + c, left);
    for (size_t r = 0; r < rows; r++) {
      const vf from_center = vf_sub(vf_load_n(x + r * columns + c, left), n.center);
      const vf g = passing(&n, from_center, vf_load_n(dy + r * columns + c, left));
      sum = vf_add(sum, g);
      product = vf_fma(g, from_center, product);
    }
    vf_store_n(sums + c, sum, left);
    vf_store_n(products + c, product, left);
  }
}

CK_ENTRY void KERNEL(f32_normalize_gradient)(size_t rows, size_t columns, const ck_normalization *norm,
                                             const float *x, const float *dy, const float *mean, const float *slope,
                                             float *dx) {
  for (size_t r = 0; r < rows; r++, x += columns, dy += columns, dx += columns) {
    for (size_t c = 0; c < columns; c += LANES) {
      const size_t left = lanes_left(columns - c);
      const columns_of n = columns_at(norm, c, left);
      const vf value = vf_load_n(x + c, left);
      const vf g = passing(&n, vf_sub(value, n.center), vf_load_n(dy + c, left));
      const vf rest = vf_sub(g, vf_load_n(mean + c, left));
      vf_store_n(dx + c, vf_mul(vf_fma(vf_sub(n.center, value), vf_load_n(slope + c, left), rest), n.scale), left);
    }
  }
}
