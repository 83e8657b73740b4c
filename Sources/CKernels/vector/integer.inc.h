// Real numbers from 32-bit sums; vectors run along the channels.
#include "names.h"

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
