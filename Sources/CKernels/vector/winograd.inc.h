// Winograd's transforms: one small matrix from the left, then its transpose from the right.
#include "names.h"

#define A ((float)CK_WINOGRAD_A)
#define B ((float)CK_WINOGRAD_B)

INLINE void tile_side(const vf *d, vf *out) {
  out[0] = vf_sub(d[0], d[2]);
  out[1] = vf_add(d[1], d[2]);
  out[2] = vf_sub(d[2], d[1]);
  out[3] = vf_sub(d[1], d[3]);
}

INLINE void weights_side(const vf *w, vf *out) {
  const vf half = vf_set(0.5f), ends = vf_add(w[0], w[2]);
  out[0] = w[0];
  out[1] = vf_mul(vf_add(ends, w[1]), half);
  out[2] = vf_mul(vf_sub(ends, w[1]), half);
  out[3] = w[2];
}

INLINE void outputs_side(const vf *s, vf *out) {
  out[0] = vf_add(vf_add(s[0], s[1]), s[2]);
  out[1] = vf_sub(vf_sub(s[1], s[2]), s[3]);
}

INLINE void spread_side(const vf *g, vf *out) {
  out[0] = g[0];
  out[1] = vf_add(g[0], g[1]);
  out[2] = vf_sub(g[0], g[1]);
  out[3] = vf_sub(vf_set(0), g[1]);
}

INLINE void collect_side(const vf *s, vf *out) {
  const vf half = vf_set(0.5f), middle = vf_mul(vf_add(s[1], s[2]), half);
  out[0] = vf_add(s[0], middle);
  out[1] = vf_mul(vf_sub(s[1], s[2]), half);
  out[2] = vf_add(middle, s[3]);
}

INLINE void tile4_side(const vf *d, vf *out) {
  const vf a = vf_set(A), b = vf_set(B), minus_aa = vf_set(-A * A), minus_bb = vf_set(-B * B);
  const vf minus_sum = vf_set(-(A * A + B * B)), product = vf_set(A * A * B * B);
  const vf e = vf_fma(minus_bb, d[2], d[4]), o = vf_fma(minus_bb, d[1], d[3]);
  const vf f = vf_fma(minus_aa, d[2], d[4]), p = vf_fma(minus_aa, d[1], d[3]);
  out[0] = vf_fma(product, d[0], vf_fma(minus_sum, d[2], d[4]));
  out[1] = vf_fma(a, o, e);
  out[2] = vf_fma(vf_set(-A), o, e);
  out[3] = vf_fma(b, p, f);
  out[4] = vf_fma(vf_set(-B), p, f);
  out[5] = vf_fma(product, d[1], vf_fma(minus_sum, d[3], d[5]));
}

INLINE void outputs4_side(const vf *s, vf *out) {
  const vf p = vf_add(s[1], s[2]), m = vf_sub(s[1], s[2]), q = vf_add(s[3], s[4]), n = vf_sub(s[3], s[4]);
  out[0] = vf_add(vf_add(s[0], p), q);
  out[1] = vf_fma(vf_set(B), n, vf_mul(vf_set(A), m));
  out[2] = vf_fma(vf_set(B * B), q, vf_mul(vf_set(A * A), p));
  out[3] = vf_fma(vf_set(A * A * A), m, vf_fma(vf_set(B * B * B), n, s[5]));
}

#define UNROLL _Pragma("clang loop unroll(full)")
// X is from x from, the result to x to.
#define BOTH_SIDES(side, from, to, finish)                                          \
  for (size_t c = 0; c < channels; c += LANES) {                                    \
    const size_t left = lanes_left(channels - c);                                   \
    vf between[to][from];                                                           \
    UNROLL for (size_t column = 0; column < from; column++) {                       \
      vf x[from], y[to];                                                            \
      UNROLL for (size_t i = 0; i < from; i++) x[i] = vf_load_n(in[i * from + column] + c, left); \
      side(x, y);                                                                   \
      UNROLL for (size_t i = 0; i < to; i++) between[i][column] = y[i];             \
    }                                                                               \
    UNROLL for (size_t row = 0; row < to; row++) {                                  \
      vf y[to];                                                                     \
      side(between[row], y);                                                        \
      UNROLL for (size_t i = 0; i < to; i++) vf_store_n(out[row * to + i] + c, finish(y[i]), left); \
    }                                                                               \
  }
#define AS_IS(x) (x)
#define CLAMPED(x) vf_min(high, vf_max(low, vf_add(x, vf_load_n(bias + c, left))))

CK_ENTRY void KERNEL(f32_winograd_tile)(size_t channels, const float *const *in, float *const *out) {
  BOTH_SIDES(tile_side, 4, 4, AS_IS)
}

CK_ENTRY void KERNEL(f32_winograd_weights)(size_t channels, const float *const *in, float *const *out) {
  BOTH_SIDES(weights_side, 3, 4, AS_IS)
}

CK_ENTRY void KERNEL(f32_winograd_outputs)(size_t channels, const float *const *in, const float *bias, float lo,
                                           float hi, float *const *out) {
  const vf low = vf_set(lo), high = vf_set(hi);
  BOTH_SIDES(outputs_side, 4, 2, CLAMPED)
}

CK_ENTRY void KERNEL(f32_winograd_spread)(size_t channels, const float *const *in, float *const *out) {
  BOTH_SIDES(spread_side, 2, 4, AS_IS)
}

CK_ENTRY void KERNEL(f32_winograd_collect)(size_t channels, const float *const *in, float *const *out) {
  BOTH_SIDES(collect_side, 4, 3, AS_IS)
}

CK_ENTRY void KERNEL(f32_winograd4_tile)(size_t channels, const float *const *in, float *const *out) {
  BOTH_SIDES(tile4_side, 6, 6, AS_IS)
}

CK_ENTRY void KERNEL(f32_winograd4_outputs)(size_t channels, const float *const *in, const float *bias, float lo,
                                            float hi, float *const *out) {
  const vf low = vf_set(lo), high = vf_set(hi);
  BOTH_SIDES(outputs4_side, 6, 4, CLAMPED)
}
