#if defined(__aarch64__)
#include "../vector/neon.h"
#include "../vector/u8s8-depthwise.inc.h"

void KERNEL(u8s8_depthwise)(size_t pixels, size_t channels, size_t taps, const void *const *tap, size_t step,
                            const int8_t *weights, int32_t *out, size_t ld) {
  depthwise_sums(pixels, channels, taps, tap, step, weights, out, ld);
}

void KERNEL(u8s8_depthwise_codes)(size_t pixels, size_t channels, size_t taps, const void *const *tap, size_t step,
                                  const int8_t *weights, const ck_requantization *to, uint8_t *out, size_t ld) {
  depthwise_codes(pixels, channels, taps, tap, step, weights, to, out, ld);
}
#endif
