#if defined(__aarch64__)
#define GEMM_ROWS 4
#include "../vector/neon.h"

typedef int16x8_t vw;
INLINE vw vw_repeat_u8(uint32_t four) {
  return vreinterpretq_s16_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four))));
}
INLINE vw vw_load_s8(const int8_t *p) { return vmovl_s8(vld1_s8(p)); }
INLINE vi vi_pair_sums(vw x, vw w) {
  return vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(w)), vmull_high_s16(x, w));
}
INLINE vi vi_join(vi a, vi b) { return vpaddq_s32(a, b); }

#include "../vector/u8s8-gemm.inc.h"
#endif
