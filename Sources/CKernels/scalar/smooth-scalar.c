#include "../kernel.h"
#include "../smooth-terms.h"
#include "half.h"

static float horner(float x, const float *terms, int count) {
  float y = terms[0];
  for (int i = 1; i < count; i++) y = __builtin_fmaf(y, x, terms[i]);
  return y;
}

static float power_of_two(float n) { return ck_bits_float((uint32_t)((int32_t)n + 127) << 23); }

static float exponential(float x) {
  if (x != x) return x;
  float c = CK_EXP_LEAST > x ? CK_EXP_LEAST : x;
  c = CK_EXP_MOST < c ? CK_EXP_MOST : c;
  const float n = __builtin_rintf(c * CK_LOG2_E);
  const float r = __builtin_fmaf(n, -CK_LN2_LOW, __builtin_fmaf(n, -CK_LN2_HIGH, c));
  const float y = 1 + __builtin_fmaf(r * r, horner(r, ck_exp_terms, CK_EXP_TERMS), r);
  const float half = __builtin_rintf(n * 0.5f);
  return y * power_of_two(half) * power_of_two(n - half);
}

static float sigmoid(float x) { return 1 / (1 + exponential(0 - x)); }

static float magnitude(float x) { return x > 0 - x ? x : 0 - x; }

static float hyperbolic_tangent(float x) {
  const float a = magnitude(x);
  if (a > CK_TANH_SMALL) {
    const float t = 1 - 2 / (exponential(2 * a) + 1);
    return 0 > x ? 0 - t : t;
  }
  const float z = x * x;
  return __builtin_fmaf(x * z, horner(z, ck_tanh_terms, CK_TANH_TERMS), x);
}

static float error_function(float x) {
  const float a = magnitude(x);
  if (a > CK_ERF_SMALL) {
    const float b = CK_ERF_MOST < a ? CK_ERF_MOST : a;
    const float t = 1 - exponential(0 - horner(b, ck_erfc_terms, CK_ERFC_TERMS));
    return 0 > x ? 0 - t : t;
  }
  return x * horner(x * x, ck_erf_terms, CK_ERF_TERMS);
}

static float gelu_inner(float x) { return CK_ROOT_TWO_OVER_PI * (x + CK_GELU_CUBE * x * x * x); }

static float value(ck_smooth_function function, float x) {
  switch (function) {
    case ck_smooth_exp: return exponential(x);
    case ck_smooth_sigmoid: return sigmoid(x);
    case ck_smooth_tanh: return hyperbolic_tangent(x);
    case ck_smooth_erf: return error_function(x);
    case ck_smooth_silu: return x * sigmoid(x);
    case ck_smooth_gelu: return 0.5f * x * (1 + error_function(x * CK_ROOT_HALF));
    case ck_smooth_gelu_tanh: return 0.5f * x * (1 + hyperbolic_tangent(gelu_inner(x)));
  }
  return x;
}

void ck_f32_smooth_scalar(ck_smooth_function function, size_t n, const float *a, float *out) {
  for (size_t i = 0; i < n; i++) out[i] = value(function, a[i]);
}
