#include "../kernel.h"
#include "arithmetic.h"

// L v, for the five L of the contract: `step` apart in and out.
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

static void both_sides(side_fn *side, size_t from, size_t to, size_t channels, const float *const *in, float lo,
                       float hi, float *const *out) {
  for (size_t c = 0; c < channels; c++) {
    float x[16], between[16], y[16];
    for (size_t i = 0; i < from * from; i++) x[i] = in[i][c];
    for (size_t column = 0; column < from; column++) side(x + column, from, between + column, from);
    for (size_t row = 0; row < to; row++) side(between + row * from, 1, y + row * to, 1);
    for (size_t i = 0; i < to * to; i++) out[i][c] = ck_clamp(y[i], lo, hi);
  }
}

void ck_f32_winograd_tile_scalar(size_t channels, const float *const *in, float *const *out) {
  both_sides(tile, 4, 4, channels, in, -__builtin_inff(), __builtin_inff(), out);
}

void ck_f32_winograd_weights_scalar(size_t channels, const float *const *in, float *const *out) {
  both_sides(weights, 3, 4, channels, in, -__builtin_inff(), __builtin_inff(), out);
}

void ck_f32_winograd_outputs_scalar(size_t channels, const float *const *in, float lo, float hi, float *const *out) {
  both_sides(outputs, 4, 2, channels, in, lo, hi, out);
}

void ck_f32_winograd_spread_scalar(size_t channels, const float *const *in, float *const *out) {
  both_sides(spread, 2, 4, channels, in, -__builtin_inff(), __builtin_inff(), out);
}

void ck_f32_winograd_collect_scalar(size_t channels, const float *const *in, float *const *out) {
  both_sides(collect, 4, 3, channels, in, -__builtin_inff(), __builtin_inff(), out);
}
