#include "../kernel.h"
#include "arithmetic.h"

// L v, for the L of the contract: `step` apart in and out.
typedef void side_fn(const float *v, size_t step, float *out, size_t out_step);

static void tile(const float *d, size_t step, float *out, size_t to) {
  out[0] = d[0] - d[2 * step];
  out[to] = d[step] + d[2 * step];
  out[2 * to] = d[2 * step] - d[step];
  out[3 * to] = d[step] - d[3 * step];
}

static void weights(const float *w, size_t step, float *out, size_t to) {
  const float ends = w[0] + w[2 * step];
  out[0] = w[0];
  out[to] = (ends + w[step]) * 0.5f;
  out[2 * to] = (ends - w[step]) * 0.5f;
  out[3 * to] = w[2 * step];
}

static void outputs(const float *s, size_t step, float *out, size_t to) {
  out[0] = (s[0] + s[step]) + s[2 * step];
  out[to] = (s[step] - s[2 * step]) - s[3 * step];
}

static void spread(const float *g, size_t step, float *out, size_t to) {
  out[0] = g[0];
  out[to] = g[0] + g[step];
  out[2 * to] = g[0] - g[step];
  out[3 * to] = 0 - g[step];
}

static void collect(const float *s, size_t step, float *out, size_t to) {
  const float middle = (s[step] + s[2 * step]) * 0.5f;
  out[0] = s[0] + middle;
  out[to] = (s[step] - s[2 * step]) * 0.5f;
  out[2 * to] = middle + s[3 * step];
}

static void tile4(const float *d, size_t step, float *out, size_t to) {
  const float a = (float)CK_WINOGRAD_A, b = (float)CK_WINOGRAD_B, sum = a * a + b * b, product = a * a * b * b;
  const float e = __builtin_fmaf(-b * b, d[2 * step], d[4 * step]), o = __builtin_fmaf(-b * b, d[step], d[3 * step]);
  const float f = __builtin_fmaf(-a * a, d[2 * step], d[4 * step]), p = __builtin_fmaf(-a * a, d[step], d[3 * step]);
  out[0] = __builtin_fmaf(product, d[0], __builtin_fmaf(-sum, d[2 * step], d[4 * step]));
  out[to] = __builtin_fmaf(a, o, e);
  out[2 * to] = __builtin_fmaf(-a, o, e);
  out[3 * to] = __builtin_fmaf(b, p, f);
  out[4 * to] = __builtin_fmaf(-b, p, f);
  out[5 * to] = __builtin_fmaf(product, d[step], __builtin_fmaf(-sum, d[3 * step], d[5 * step]));
}

static void outputs4(const float *s, size_t step, float *out, size_t to) {
  const float a = (float)CK_WINOGRAD_A, b = (float)CK_WINOGRAD_B;
  const float p = s[step] + s[2 * step], m = s[step] - s[2 * step];
  const float q = s[3 * step] + s[4 * step], n = s[3 * step] - s[4 * step];
  out[0] = (s[0] + p) + q;
  out[to] = __builtin_fmaf(b, n, a * m);
  out[2 * to] = __builtin_fmaf(b * b, q, a * a * p);
  out[3 * to] = __builtin_fmaf(a * a * a, m, __builtin_fmaf(b * b * b, n, s[5 * step]));
}

// y (to, to) of one channel.
static void both_sides(side_fn *side, size_t from, size_t to, size_t channel, const float *const *in, float *y) {
  float x[36], between[36];
  for (size_t i = 0; i < from * from; i++) x[i] = in[i][channel];
  for (size_t column = 0; column < from; column++) side(x + column, from, between + column, from);
  for (size_t row = 0; row < to; row++) side(between + row * from, 1, y + row * to, 1);
}

static void transform(side_fn *side, size_t from, size_t to, size_t channels, const float *const *in,
                      float *const *out) {
  for (size_t c = 0; c < channels; c++) {
    float y[36];
    both_sides(side, from, to, c, in, y);
    for (size_t i = 0; i < to * to; i++) out[i][c] = y[i];
  }
}

static void finish(side_fn *side, size_t from, size_t to, size_t channels, const float *const *in, const float *bias,
                   float lo, float hi, float *const *out) {
  for (size_t c = 0; c < channels; c++) {
    float y[36];
    both_sides(side, from, to, c, in, y);
    for (size_t i = 0; i < to * to; i++) out[i][c] = ck_clamp(y[i] + bias[c], lo, hi);
  }
}

void ck_f32_winograd_tile_scalar(size_t channels, const float *const *in, float *const *out) {
  transform(tile, 4, 4, channels, in, out);
}

void ck_f32_winograd_weights_scalar(size_t channels, const float *const *in, float *const *out) {
  transform(weights, 3, 4, channels, in, out);
}

void ck_f32_winograd_outputs_scalar(size_t channels, const float *const *in, const float *bias, float lo, float hi,
                                    float *const *out) {
  finish(outputs, 4, 2, channels, in, bias, lo, hi, out);
}

void ck_f32_winograd_spread_scalar(size_t channels, const float *const *in, float *const *out) {
  transform(spread, 2, 4, channels, in, out);
}

void ck_f32_winograd_collect_scalar(size_t channels, const float *const *in, float *const *out) {
  transform(collect, 4, 3, channels, in, out);
}

void ck_f32_winograd4_tile_scalar(size_t channels, const float *const *in, float *const *out) {
  transform(tile4, 6, 6, channels, in, out);
}

void ck_f32_winograd4_outputs_scalar(size_t channels, const float *const *in, const float *bias, float lo, float hi,
                                     float *const *out) {
  finish(outputs4, 6, 4, channels, in, bias, lo, hi, out);
}
