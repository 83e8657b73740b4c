// Functions of two operands; vectors run along the rows. Each way of broadcasting inside a row is compiled by itself.
#include "names.h"

// Element i and those after it of a row, or the one element that is repeated.
INLINE vf f32_of(const float *from, const bool repeats, vf only, size_t i, size_t left) {
  return repeats ? only : vf_load_n(from + i, left);
}
INLINE vi u8_of(const uint8_t *from, const bool repeats, vi only, size_t i, size_t left) {
  return repeats ? only : vi_load_u8_n(from + i, left);
}

INLINE void f32_rows(const ck_pair_function function, const bool a_repeats, const bool b_repeats,
                     const ck_pair_rows *rows, const float *a, const float *b, float lo, float hi, float *out) {
  const vf low = vf_set(lo), high = vf_set(hi);
  const size_t n = rows->n;
  for (size_t r = 0; r < rows->rows; r++, a += rows->a_row, b += rows->b_row, out += n) {
    const vf only_a = vf_set(a[0]), only_b = vf_set(b[0]);
    for (size_t i = 0; i < n; i += LANES) {
      const size_t left = lanes_left(n - i);
      const vf x = f32_of(a, a_repeats, only_a, i, left), y = f32_of(b, b_repeats, only_b, i, left);
      const vf result = function == ck_pair_add   ? vf_add(x, y)
                        : function == ck_pair_sub ? vf_sub(x, y)
                        : function == ck_pair_div ? vf_div(x, y)
                                                  : vf_mul(x, y);
      vf_store_n(out + i, vf_min(high, vf_max(low, result)), left);
    }
  }
}

INLINE void u8_rows(const ck_pair_function function, const bool a_repeats, const bool b_repeats,
                    const ck_pair_rows *rows, const uint8_t *a, const uint8_t *b, const ck_u8_pair_parameters *p,
                    uint8_t *out) {
  const vi zero_a = vi_set(p->zero_a), zero_b = vi_set(p->zero_b);
  const vf scale_a = vf_set(p->scale_a), scale_b = vf_set(p->scale_b);
  const vf zero = vf_set((float)p->zero_point), low = vf_set((float)p->lo), high = vf_set((float)p->hi);
  const size_t n = rows->n;
  for (size_t r = 0; r < rows->rows; r++, a += rows->a_row, b += rows->b_row, out += n) {
    const vi only_a = vi_set(a[0]), only_b = vi_set(b[0]);
    size_t i = 0;
#ifdef HAS_SUMS_OF_64
    if (function == ck_pair_add && !a_repeats && !b_repeats) {
      for (; n - i >= 64; i += 64) sums_of_64(a + i, b + i, p, out + i);
    }
#endif
    for (; i < n; i += LANES) {
      const size_t left = lanes_left(n - i);
      const vi x = vi_sub(u8_of(a, a_repeats, only_a, i, left), zero_a);
      const vi y = vi_sub(u8_of(b, b_repeats, only_b, i, left), zero_b);
      const vf result = function == ck_pair_add
                            ? vf_add(vf_mul(vf_from_vi(x), scale_a), vf_mul(vf_from_vi(y), scale_b))
                            : vf_mul(vf_from_vi(vi_mul(x, y)), scale_a);
      const vf q = vf_add(vf_round(result), zero);
      vi_store_u8_n(out + i, vi_from_vf(vf_min(high, vf_max(low, q))), left);
    }
  }
}

#define WAYS(ROWS, function, ...)                                                       \
  do {                                                                                  \
    if (rows->a_step == 0) {                                                            \
      if (rows->b_step == 0) ROWS(function, true, true, __VA_ARGS__);                   \
      else ROWS(function, true, false, __VA_ARGS__);                                    \
    } else {                                                                            \
      if (rows->b_step == 0) ROWS(function, false, true, __VA_ARGS__);                  \
      else ROWS(function, false, false, __VA_ARGS__);                                   \
    }                                                                                   \
  } while (0)

CK_ENTRY void KERNEL(f32_pairs)(ck_pair_function function, const ck_pair_rows *rows, const float *a, const float *b,
                                float lo, float hi, float *out) {
  if (rows->n == 0) return;
  switch (function) {
    case ck_pair_add: WAYS(f32_rows, ck_pair_add, rows, a, b, lo, hi, out); break;
    case ck_pair_mul: WAYS(f32_rows, ck_pair_mul, rows, a, b, lo, hi, out); break;
    case ck_pair_sub: WAYS(f32_rows, ck_pair_sub, rows, a, b, lo, hi, out); break;
    case ck_pair_div: WAYS(f32_rows, ck_pair_div, rows, a, b, lo, hi, out); break;
    // Rare, and what NaN gives is the scalar kernel's to say.
    case ck_pair_min:
    case ck_pair_max:
    case ck_pair_pow: ck_f32_pairs_scalar(function, rows, a, b, lo, hi, out); break;
  }
}

CK_ENTRY void KERNEL(u8_pairs)(ck_pair_function function, const ck_pair_rows *rows, const uint8_t *a, const uint8_t *b,
                               const ck_u8_pair_parameters *p, uint8_t *out) {
  if (rows->n == 0) return;
  switch (function) {
    case ck_pair_add: WAYS(u8_rows, ck_pair_add, rows, a, b, p, out); break;
    case ck_pair_mul: WAYS(u8_rows, ck_pair_mul, rows, a, b, p, out); break;
    default: ck_u8_pairs_scalar(function, rows, a, b, p, out); break;
  }
}
#undef WAYS
