// The vector vocabulary of the kernel bodies, in ARMv8 Advanced SIMD: 4 lanes. *_n touch only the first n
// lanes' memory, and read zero into the others.
#pragma once
#include "../kernel.h"

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

#define CK_SUFFIX neon
#define LANES 4
#define INLINE static inline __attribute__((always_inline))

typedef float32x4_t vf;
typedef int32x4_t vi;

INLINE vf vf_load(const float *p) { return vld1q_f32(p); }
INLINE void vf_store(float *p, vf v) { vst1q_f32(p, v); }
INLINE vf vf_load_n(const float *p, size_t n) {
  if (n >= 4) return vld1q_f32(p);
  float lanes[4] = {0};
  for (size_t i = 0; i < n; i++) lanes[i] = p[i];
  return vld1q_f32(lanes);
}
INLINE void vf_store_n(float *p, vf v, size_t n) {
  if (n >= 4) {
    vst1q_f32(p, v);
    return;
  }
  float lanes[4];
  vst1q_f32(lanes, v);
  for (size_t i = 0; i < n; i++) p[i] = lanes[i];
}
INLINE vf vf_set(float x) { return vdupq_n_f32(x); }
INLINE vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
INLINE vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
INLINE vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
INLINE vf vf_div(vf a, vf b) { return vdivq_f32(a, b); }
INLINE vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
INLINE vf vf_max(vf a, vf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }  // a > b ? a : b
INLINE vf vf_min(vf a, vf b) { return vbslq_f32(vcltq_f32(a, b), a, b); }  // a < b ? a : b
INLINE vf vf_round(vf a) { return vrndnq_f32(a); }
INLINE vf vf_half(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
INLINE void vf_store_half(uint16_t *p, vf v) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v))); }
INLINE vf vf_from_vi(vi v) { return vcvtq_f32_s32(v); }
INLINE vi vi_from_vf(vf v) { return vcvtnq_s32_f32(v); }
INLINE vf vf_of_bits(vi v) { return vreinterpretq_f32_s32(v); }
INLINE vi vi_set(int32_t x) { return vdupq_n_s32(x); }
INLINE vi vi_load(const void *p) { return vreinterpretq_s32_u8(vld1q_u8(p)); }
INLINE void vi_store(void *p, vi v) { vst1q_u8(p, vreinterpretq_u8_s32(v)); }
INLINE vi vi_load_n(const int32_t *p, size_t n) {
  if (n >= 4) return vld1q_s32(p);
  int32_t lanes[4] = {0};
  for (size_t i = 0; i < n; i++) lanes[i] = p[i];
  return vld1q_s32(lanes);
}
INLINE void vi_store_n(int32_t *p, vi v, size_t n) {
  int32_t lanes[4];
  vst1q_s32(n >= 4 ? p : lanes, v);
  if (n < 4) {
    for (size_t i = 0; i < n; i++) p[i] = lanes[i];
  }
}
INLINE uint8x8_t v_bytes_n(const void *p, size_t n) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < n && i < 4; i++) bytes |= (uint64_t)((const uint8_t *)p)[i] << (8 * i);
  return vcreate_u8(bytes);
}
INLINE vi vi_load_u8_n(const uint8_t *p, size_t n) {
  return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(v_bytes_n(p, n)))));
}
INLINE vi vi_load_s8_n(const int8_t *p, size_t n) {
  return vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(v_bytes_n(p, n)))));
}
INLINE void vi_store_u8_n(uint8_t *p, vi v, size_t n) {
  int32_t lanes[4];
  vst1q_s32(lanes, v);
  for (size_t i = 0; i < n && i < 4; i++) p[i] = (uint8_t)lanes[i];
}
INLINE vi vi_add(vi a, vi b) { return vaddq_s32(a, b); }
INLINE vi vi_sub(vi a, vi b) { return vsubq_s32(a, b); }
INLINE vi vi_or(vi a, vi b) { return vorrq_s32(a, b); }
INLINE vi vi_shift_left(vi a, int bits) { return vshlq_s32(a, vdupq_n_s32(bits)); }
INLINE vi vi_mul(vi a, vi b) { return vmulq_s32(a, b); }
INLINE vi vi_first_s8(vi a) { return vshrq_n_s32(vshlq_n_s32(a, 24), 24); }  // each lane's lowest byte
INLINE vi vi_next_byte(vi a) { return vshrq_n_s32(a, 8); }
INLINE vi vi_max(vi a, vi b) { return vmaxq_s32(a, b); }
// b's lanes where x > y, else a's.
INLINE vf vf_pick_greater(vf x, vf y, vf a, vf b) { return vbslq_f32(vcgtq_f32(x, y), b, a); }
INLINE vi vi_pick_greater(vf x, vf y, vi a, vi b) { return vbslq_s32(vcgtq_f32(x, y), b, a); }
INLINE vi vi_lane(void) {
  const int32_t lanes[4] = {0, 1, 2, 3};
  return vld1q_s32(lanes);
}
// sum + the products of a lane's four unsigned and four signed bytes: each fits 16 bits.
INLINE vi vi_dot_4(vi sum, vi bytes, vi weights) {
  const uint16x8_t x = vreinterpretq_u16_s32(bytes);
  const int16x8_t w = vreinterpretq_s16_s32(weights);
  const int16x8_t even = vreinterpretq_s16_u16(vandq_u16(x, vdupq_n_u16(0xFF)));
  const int16x8_t odd = vreinterpretq_s16_u16(vshrq_n_u16(x, 8));
  sum = vpadalq_s16(sum, vmulq_s16(even, vshrq_n_s16(vshlq_n_s16(w, 8), 8)));
  return vpadalq_s16(sum, vmulq_s16(odd, vshrq_n_s16(w, 8)));
}
// Rows to columns, of LANES rows.
INLINE void v_transpose(vf *r) {
  const float32x4_t a = vtrn1q_f32(r[0], r[1]), b = vtrn2q_f32(r[0], r[1]);
  const float32x4_t c = vtrn1q_f32(r[2], r[3]), d = vtrn2q_f32(r[2], r[3]);
  r[0] = vcombine_f32(vget_low_f32(a), vget_low_f32(c));
  r[1] = vcombine_f32(vget_low_f32(b), vget_low_f32(d));
  r[2] = vcombine_f32(vget_high_f32(a), vget_high_f32(c));
  r[3] = vcombine_f32(vget_high_f32(b), vget_high_f32(d));
}
