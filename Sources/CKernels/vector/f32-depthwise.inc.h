// Depthwise convolution and its gradients over tap pointers; vectors run along the channels.
#include "names.h"
#include "../include/ck-kernels.h"

CK_ENTRY void KERNEL(f32_depthwise)(size_t pixels, size_t channels, size_t taps, const void *const *tap,
                                    const float *weights, const float *bias, float *out, size_t ld, float lo,
                                    float hi) {
  const vf low = vf_set(lo), high = vf_set(hi);
  for (size_t i = 0; i < pixels; i++, tap += taps, out += ld) {
    for (size_t c = 0; c < channels; c += LANES) {
      const size_t n = lanes_left(channels - c);
      vf sum = vf_load_n(bias + c, n);
      const float *w = weights + c;
      for (size_t t = 0; t < taps; t++, w += channels) {
        sum = vf_fma(vf_load_n((const float *)tap[t] + c, n), vf_load_n(w, n), sum);
      }
      vf_store_n(out + c, vf_min(high, vf_max(low, sum)), n);
    }
  }
}

CK_ENTRY void KERNEL(f32_depthwise_spread)(size_t pixels, size_t channels, size_t taps, void *const *tap,
                                           const float *weights, const float *g, size_t ld) {
  for (size_t i = 0; i < pixels; i++, tap += taps, g += ld) {
    for (size_t c = 0; c < channels; c += LANES) {
      const size_t n = lanes_left(channels - c);
      const vf slope = vf_load_n(g + c, n);
      for (size_t t = 0; t < taps; t++) {
        float *to = (float *)tap[t] + c;
        vf_store_n(to, vf_fma(slope, vf_load_n(weights + t * channels + c, n), vf_load_n(to, n)), n);
      }
    }
  }
}

CK_ENTRY void KERNEL(f32_depthwise_gather)(size_t pixels, size_t channels, size_t taps, const void *const *tap,
                                           const float *g, size_t ld, float *weights) {
  for (size_t c = 0; c < channels; c += LANES) {
    const size_t n = lanes_left(channels - c);
    for (size_t t = 0; t < taps; t++) {
      vf sum = vf_load_n(weights + t * channels + c, n);
      for (size_t i = 0; i < pixels; i++) {
        sum = vf_fma(vf_load_n((const float *)tap[i * taps + t] + c, n), vf_load_n(g + i * ld + c, n), sum);
      }
      vf_store_n(weights + t * channels + c, sum, n);
    }
  }
}
