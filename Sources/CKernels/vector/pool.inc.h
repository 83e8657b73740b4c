// Pooling over tap pointers; vectors run along the channels.
#include "names.h"

CK_ENTRY void KERNEL(f32_max_pool)(size_t pixels, size_t channels, size_t stride, const void *const *tap,
                                   const uint32_t *counts, const float *origin, float *out, int32_t *index) {
  for (size_t i = 0; i < pixels; i++, tap += stride) {
    for (size_t c = 0; c < channels; c += LANES) {
      const size_t n = lanes_left(channels - c);
      vf best = vf_load_n((const float *)tap[0] + c, n);
      if (!index) {
        for (size_t t = 1; t < counts[i]; t++) {
          const vf x = vf_load_n((const float *)tap[t] + c, n);
          best = vf_pick_greater(x, best, best, x);
        }
      } else {
        vi winner = vi_set((int32_t)((const float *)tap[0] - origin));
        for (size_t t = 1; t < counts[i]; t++) {
          const vf x = vf_load_n((const float *)tap[t] + c, n);
          winner = vi_pick_greater(x, best, winner, vi_set((int32_t)((const float *)tap[t] - origin)));
          best = vf_pick_greater(x, best, best, x);
        }
        vi_store_n(index + i * channels + c, vi_add(winner, vi_add(vi_lane(), vi_set((int32_t)c))), n);
      }
      vf_store_n(out + i * channels + c, best, n);
    }
  }
}

CK_ENTRY void KERNEL(f32_average_pool)(size_t pixels, size_t channels, size_t stride, const void *const *tap,
                                       const uint32_t *counts, float *out) {
  for (size_t i = 0; i < pixels; i++, tap += stride) {
    const vf count = vf_set((float)counts[i]);
    for (size_t c = 0; c < channels; c += LANES) {
      const size_t n = lanes_left(channels - c);
      vf sum = vf_load_n((const float *)tap[0] + c, n);
      for (size_t t = 1; t < counts[i]; t++) sum = vf_add(sum, vf_load_n((const float *)tap[t] + c, n));
      vf_store_n(out + i * channels + c, vf_div(sum, count), n);
    }
  }
}

CK_ENTRY void KERNEL(u8_max_pool)(size_t pixels, size_t channels, size_t stride, const void *const *tap,
                                  const uint32_t *counts, uint8_t *out) {
  for (size_t i = 0; i < pixels; i++, tap += stride) {
    for (size_t c = 0; c < channels; c += LANES) {
      const size_t n = lanes_left(channels - c);
      vi best = vi_load_u8_n((const uint8_t *)tap[0] + c, n);
      for (size_t t = 1; t < counts[i]; t++) best = vi_max(best, vi_load_u8_n((const uint8_t *)tap[t] + c, n));
      vi_store_u8_n(out + i * channels + c, best, n);
    }
  }
}

CK_ENTRY void KERNEL(u8_average_pool)(size_t pixels, size_t channels, size_t stride, const void *const *tap,
                                      const uint32_t *counts, int32_t zero, float scale, int32_t zero_point,
                                      uint8_t *out) {
  const vf factor = vf_set(scale), offset = vf_set((float)zero_point), low = vf_set(0), high = vf_set(255);
  for (size_t i = 0; i < pixels; i++, tap += stride) {
    const vf count = vf_set((float)counts[i]);
    const vi start = vi_set(-zero * (int32_t)counts[i]);
    for (size_t c = 0; c < channels; c += LANES) {
      const size_t n = lanes_left(channels - c);
      vi sum = start;
      for (size_t t = 0; t < counts[i]; t++) sum = vi_add(sum, vi_load_u8_n((const uint8_t *)tap[t] + c, n));
      const vf mean = vf_div(vf_mul(vf_from_vi(sum), factor), count);
      const vf q = vf_add(vf_round(mean), offset);
      vi_store_u8_n(out + i * channels + c, vi_from_vf(vf_min(high, vf_max(low, q))), n);
    }
  }
}
