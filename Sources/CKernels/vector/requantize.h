// Requantization of a vector of sums, the bias already among them; see ck-kernels.h.
#pragma once
#include "../kernel.h"

INLINE void requantize(vi sum, vf scale, const ck_requantization *to, uint8_t *out, size_t n) {
  const vf q = vf_add(vf_round(vf_mul(vf_from_vi(sum), scale)), vf_set((float)to->zero_point));
  const vf low = vf_set((float)to->lo), high = vf_set((float)to->hi);
  vi_store_u8_n(out, vi_from_vf(vf_min(high, vf_max(low, q))), n);
}
