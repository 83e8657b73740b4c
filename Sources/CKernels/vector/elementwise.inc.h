// Element-wise kernels, and conversions between number formats.
#include "names.h"

CK_ENTRY void KERNEL(f32_add)(size_t n, const float *a, const float *b, float lo, float hi, float *out) {
  const vf low = vf_set(lo), high = vf_set(hi);
  for (size_t i = 0; i < n; i += LANES) {
    const size_t left = lanes_left(n - i);
    const vf sum = vf_add(vf_load_n(a + i, left), vf_load_n(b + i, left));
    vf_store_n(out + i, vf_min(high, vf_max(low, sum)), left);
  }
}

CK_ENTRY void KERNEL(f32_add_rows)(size_t rows, size_t columns, const float *a, size_t ld, float *sums) {
  for (size_t c = 0; c < columns; c += LANES) {
    const size_t left = lanes_left(columns - c);
    vf sum = vf_load_n(sums + c, left);
    for (size_t r = 0; r < rows; r++) sum = vf_add(sum, vf_load_n(a + r * ld + c, left));
    vf_store_n(sums + c, sum, left);
  }
}

CK_ENTRY void KERNEL(f32_clamp)(size_t n, const float *a, float lo, float hi, float *out) {
  const vf low = vf_set(lo), high = vf_set(hi);
  for (size_t i = 0; i < n; i += LANES) {
    const size_t left = lanes_left(n - i);
    vf_store_n(out + i, vf_min(high, vf_max(low, vf_load_n(a + i, left))), left);
  }
}

CK_ENTRY void KERNEL(f32_hard_swish)(size_t n, const float *a, float *out) {
  const vf three = vf_set(3), low = vf_set(0), six = vf_set(6);
  for (size_t i = 0; i < n; i += LANES) {
    const size_t left = lanes_left(n - i);
    const vf x = vf_load_n(a + i, left), gate = vf_min(six, vf_max(low, vf_add(x, three)));
    vf_store_n(out + i, vf_div(vf_mul(x, gate), six), left);
  }
}

CK_ENTRY void KERNEL(f32_range)(size_t n, const float *a, float *least, float *greatest) {
  vf low = vf_set(a[0]), high = low;
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    const vf x = vf_load(a + i);
    low = vf_min(x, low);
    high = vf_max(x, high);
  }
  float lows[LANES], highs[LANES];
  vf_store(lows, low);
  vf_store(highs, high);
  float lo = lows[0], hi = highs[0];
  for (size_t l = 1; l < LANES; l++) {
    lo = lows[l] < lo ? lows[l] : lo;
    hi = highs[l] > hi ? highs[l] : hi;
  }
  for (; i < n; i++) {
    lo = a[i] < lo ? a[i] : lo;
    hi = a[i] > hi ? a[i] : hi;
  }
  *least = lo + 0.0f;  // -0 becomes 0: which of the two came first must not show
  *greatest = hi + 0.0f;
}

CK_ENTRY void KERNEL(f32_quantize)(size_t n, const float *a, float inverse_scale, int32_t zero_point, uint8_t *out) {
  const vf scale = vf_set(inverse_scale), zero = vf_set((float)zero_point);
  const vf low = vf_set(0), high = vf_set(255);
  for (size_t i = 0; i < n; i += LANES) {
    const size_t left = lanes_left(n - i);
    const vf q = vf_add(vf_round(vf_mul(vf_load_n(a + i, left), scale)), zero);
    vi_store_u8_n(out + i, vi_from_vf(vf_min(vf_max(q, low), high)), left);
  }
}

CK_ENTRY void KERNEL(u8_dequantize)(size_t n, const uint8_t *a, float scale, int32_t zero_point, float *out) {
  const vf step = vf_set(scale);
  const vi zero = vi_set(zero_point);
  for (size_t i = 0; i < n; i += LANES) {
    const size_t left = lanes_left(n - i);
    vf_store_n(out + i, vf_mul(vf_from_vi(vi_sub(vi_load_u8_n(a + i, left), zero)), step), left);
  }
}

CK_ENTRY void KERNEL(f32_to_half)(size_t n, const float *a, uint16_t *out) {
  for (size_t i = 0; i < n; i += LANES) {
    const size_t left = lanes_left(n - i);
    uint16_t halves[LANES];
    vf_store_half(left == LANES ? out + i : halves, vf_load_n(a + i, left));
    for (size_t l = 0; left < LANES && l < left; l++) out[i + l] = halves[l];
  }
}

CK_ENTRY void KERNEL(half_to_f32)(size_t n, const uint16_t *a, float *out) {
  for (size_t i = 0; i < n; i += LANES) {
    const size_t left = lanes_left(n - i);
    uint16_t halves[LANES] = {0};
    for (size_t l = 0; left < LANES && l < left; l++) halves[l] = a[i + l];
    vf_store_n(out + i, vf_half(left == LANES ? a + i : halves), left);
  }
}
