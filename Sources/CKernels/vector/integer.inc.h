// Depthwise convolution in integers, and what follows 32-bit sums; vectors run along the channels.
#include "names.h"
#include "../include/ck-kernels.h"

CK_ENTRY void KERNEL(u8s8_depthwise)(size_t pixels, size_t channels, size_t taps, const void *const *tap,
                                     const int8_t *weights, int32_t *out, size_t ld) {
  for (size_t i = 0; i < pixels; i++, tap += taps, out += ld) {
    for (size_t c = 0; c < channels; c += LANES) {
      const size_t n = lanes_left(channels - c);
      vi sum = vi_set(0);
      for (size_t t = 0; t < taps; t++) {
        sum = vi_add(sum, vi_mul(vi_load_u8_n((const uint8_t *)tap[t] + c, n),
                                 vi_load_s8_n(weights + t * channels + c, n)));
      }
      vi_store_n(out + c, sum, n);
    }
  }
}

CK_ENTRY void KERNEL(i32_requantize)(size_t rows, size_t n, const int32_t *acc, size_t lda, const int32_t *bias,
                                     const float *scale, int32_t zero_point, int32_t lo, int32_t hi, uint8_t *out,
                                     size_t ld) {
  const vf zero = vf_set((float)zero_point), low = vf_set((float)lo), high = vf_set((float)hi);
  for (size_t r = 0; r < rows; r++, acc += lda, out += ld) {
    for (size_t c = 0; c < n; c += LANES) {
      const size_t left = lanes_left(n - c);
      const vf x = vf_from_vi(vi_add(vi_load_n(acc + c, left), vi_load_n(bias + c, left)));
      const vf q = vf_add(vf_round(vf_mul(x, vf_load_n(scale + c, left))), zero);
      vi_store_u8_n(out + c, vi_from_vf(vf_min(high, vf_max(low, q))), left);
    }
  }
}

CK_ENTRY void KERNEL(i32_dequantize)(size_t rows, size_t n, const int32_t *acc, size_t lda, int32_t zero_point,
                                     const int32_t *sums, float input_scale, const float *scale, const float *bias,
                                     float lo, float hi, float *out, size_t ld) {
  const vf low = vf_set(lo), high = vf_set(hi), step = vf_set(input_scale);
  const vi zero = vi_set(zero_point);
  for (size_t r = 0; r < rows; r++, acc += lda, out += ld) {
    for (size_t c = 0; c < n; c += LANES) {
      const size_t left = lanes_left(n - c);
      const vf x = vf_from_vi(vi_sub(vi_load_n(acc + c, left), vi_mul(zero, vi_load_n(sums + c, left))));
      const vf y = vf_fma(x, vf_mul(step, vf_load_n(scale + c, left)), vf_load_n(bias + c, left));
      vf_store_n(out + c, vf_min(high, vf_max(low, y)), left);
    }
  }
}
