// exp and what is made of it (see smooth-terms.h).
#include "../smooth-terms.h"
#include "names.h"

INLINE vf horner(vf x, const float *terms, const int count) {
  vf y = vf_set(terms[0]);
#pragma clang loop unroll(full)
  for (int i = 1; i < count; i++) y = vf_fma(y, x, vf_set(terms[i]));
  return y;
}

INLINE vf power_of_two(vf n) { return vf_of_bits(vi_mul(vi_add(vi_from_vf(n), vi_set(127)), vi_set(1 << 23))); }

INLINE vf negative(vf x) { return vf_sub(vf_set(0), x); }
// y where x is a number, else x.
INLINE vf unless_nan(vf x, vf y) { return vf_pick_greater(vf_mul(x, x), vf_set(-1), x, y); }

INLINE vf exponential(vf x) {
  const vf c = vf_min(vf_set(CK_EXP_MOST), vf_max(vf_set(CK_EXP_LEAST), x));
  const vf n = vf_round(vf_mul(c, vf_set(CK_LOG2_E)));
  const vf r = vf_fma(n, vf_set(-CK_LN2_LOW), vf_fma(n, vf_set(-CK_LN2_HIGH), c));
  const vf y = vf_add(vf_set(1), vf_fma(vf_mul(r, r), horner(r, ck_exp_terms, CK_EXP_TERMS), r));
  const vf half = vf_round(vf_mul(n, vf_set(0.5f)));
  return unless_nan(x, vf_mul(vf_mul(y, power_of_two(half)), power_of_two(vf_sub(n, half))));
}

INLINE vf sigmoid(vf x) { return vf_div(vf_set(1), vf_add(vf_set(1), exponential(negative(x)))); }

INLINE vf magnitude(vf x) { return vf_max(x, negative(x)); }
INLINE vf with_sign(vf x, vf y) { return vf_pick_greater(vf_set(0), x, y, negative(y)); }

INLINE vf hyperbolic_tangent(vf x) {
  const vf a = magnitude(x), z = vf_mul(x, x);
  const vf small = vf_fma(vf_mul(x, z), horner(z, ck_tanh_terms, CK_TANH_TERMS), x);
  const vf divisor = vf_add(exponential(vf_mul(vf_set(2), a)), vf_set(1));
  const vf large = with_sign(x, vf_sub(vf_set(1), vf_div(vf_set(2), divisor)));
  return vf_pick_greater(a, vf_set(CK_TANH_SMALL), small, large);
}

INLINE vf error_function(vf x) {
  const vf a = magnitude(x), small = vf_mul(x, horner(vf_mul(x, x), ck_erf_terms, CK_ERF_TERMS));
  const vf logarithm = horner(vf_min(vf_set(CK_ERF_MOST), a), ck_erfc_terms, CK_ERFC_TERMS);
  const vf large = with_sign(x, vf_sub(vf_set(1), exponential(negative(logarithm))));
  return vf_pick_greater(a, vf_set(CK_ERF_SMALL), small, large);
}

INLINE vf gelu_inner(vf x) {
  const vf cube = vf_mul(vf_mul(vf_mul(vf_set(CK_GELU_CUBE), x), x), x);
  return vf_mul(vf_set(CK_ROOT_TWO_OVER_PI), vf_add(x, cube));
}

INLINE vf value(const ck_smooth_function function, vf x) {
  switch (function) {
    case ck_smooth_exp: return exponential(x);
    case ck_smooth_sigmoid: return sigmoid(x);
    case ck_smooth_tanh: return hyperbolic_tangent(x);
    case ck_smooth_erf: return error_function(x);
    case ck_smooth_silu: return vf_mul(x, sigmoid(x));
    case ck_smooth_gelu:
      return vf_mul(vf_mul(vf_set(0.5f), x), vf_add(vf_set(1), error_function(vf_mul(x, vf_set(CK_ROOT_HALF)))));
    case ck_smooth_gelu_tanh:
      return vf_mul(vf_mul(vf_set(0.5f), x), vf_add(vf_set(1), hyperbolic_tangent(gelu_inner(x))));
  }
  return x;
}

INLINE void each(const ck_smooth_function function, size_t n, const float *a, float *out) {
  for (size_t i = 0; i < n; i += LANES) {
    const size_t left = lanes_left(n - i);
    vf_store_n(out + i, value(function, vf_load_n(a + i, left)), left);
  }
}

CK_ENTRY void KERNEL(f32_smooth)(ck_smooth_function function, size_t n, const float *a, float *out) {
  switch (function) {
    case ck_smooth_exp: each(ck_smooth_exp, n, a, out); break;
    case ck_smooth_sigmoid: each(ck_smooth_sigmoid, n, a, out); break;
    case ck_smooth_tanh: each(ck_smooth_tanh, n, a, out); break;
    case ck_smooth_erf: each(ck_smooth_erf, n, a, out); break;
    case ck_smooth_silu: each(ck_smooth_silu, n, a, out); break;
    case ck_smooth_gelu: each(ck_smooth_gelu, n, a, out); break;
    case ck_smooth_gelu_tanh: each(ck_smooth_gelu_tanh, n, a, out); break;
  }
}
