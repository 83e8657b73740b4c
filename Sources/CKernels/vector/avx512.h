// The vector vocabulary of the kernel bodies, in AVX-512: 16 lanes. *_n touch only the first n lanes'
// memory, and read zero into the others.
#pragma once
#include "../kernel.h"

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#ifndef CK_TARGET
#define CK_TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c"
#endif
#define CK_SUFFIX avx512
#define LANES 16
#define INLINE static inline __attribute__((always_inline, target(CK_TARGET)))

typedef __m512 vf;
typedef __m512i vi;

INLINE __mmask16 v_mask(size_t n) { return (__mmask16)((1u << n) - 1); }
INLINE vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
INLINE vf vf_load_n(const float *p, size_t n) { return _mm512_maskz_loadu_ps(v_mask(n), p); }
INLINE void vf_store(float *p, vf v) { _mm512_storeu_ps(p, v); }
INLINE void vf_store_n(float *p, vf v, size_t n) { _mm512_mask_storeu_ps(p, v_mask(n), v); }
INLINE vf vf_set(float x) { return _mm512_set1_ps(x); }
INLINE vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
INLINE vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
INLINE vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
INLINE vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
INLINE vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }  // a > b ? a : b
INLINE vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }  // a < b ? a : b
INLINE vf vf_round(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
INLINE vf vf_half(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
INLINE void vf_store_half(uint16_t *p, vf v) {
  _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
INLINE vf vf_from_vi(vi v) { return _mm512_cvtepi32_ps(v); }
INLINE vi vi_from_vf(vf v) { return _mm512_cvtps_epi32(v); }
INLINE vf vf_of_bits(vi v) { return _mm512_castsi512_ps(v); }
INLINE vi vi_set(int32_t x) { return _mm512_set1_epi32(x); }
INLINE vi vi_load(const void *p) { return _mm512_loadu_si512(p); }
INLINE void vi_store(void *p, vi v) { _mm512_storeu_si512(p, v); }
INLINE vi vi_load_n(const int32_t *p, size_t n) { return _mm512_maskz_loadu_epi32(v_mask(n), p); }
INLINE void vi_store_n(int32_t *p, vi v, size_t n) { _mm512_mask_storeu_epi32(p, v_mask(n), v); }
INLINE vi vi_load_u8_n(const uint8_t *p, size_t n) { return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(v_mask(n), p)); }
INLINE vi vi_load_s8_n(const int8_t *p, size_t n) { return _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(v_mask(n), p)); }
INLINE void vi_store_u8_n(uint8_t *p, vi v, size_t n) { _mm512_mask_cvtepi32_storeu_epi8(p, v_mask(n), v); }
INLINE vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
INLINE vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
INLINE vi vi_or(vi a, vi b) { return _mm512_or_si512(a, b); }
INLINE vi vi_shift_left(vi a, int bits) { return _mm512_slli_epi32(a, (unsigned)bits); }
INLINE vi vi_mul(vi a, vi b) { return _mm512_mullo_epi32(a, b); }
INLINE vi vi_max(vi a, vi b) { return _mm512_max_epi32(a, b); }
// b's lanes where x > y, else a's.
INLINE vf vf_pick_greater(vf x, vf y, vf a, vf b) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, y, _CMP_GT_OQ), a, b);
}
INLINE vi vi_pick_greater(vf x, vf y, vi a, vi b) {
  return _mm512_mask_blend_epi32(_mm512_cmp_ps_mask(x, y, _CMP_GT_OQ), a, b);
}
INLINE vi vi_lane(void) { return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15); }
// sum + the products of a lane's four unsigned and four signed bytes.
INLINE vi vi_dot_4(vi sum, vi bytes, vi weights) { return _mm512_dpbusd_epi32(sum, bytes, weights); }
INLINE vf vf_pairs(vf a, vf b, int high) {
  const __m512d x = _mm512_castps_pd(a), y = _mm512_castps_pd(b);
  return _mm512_castpd_ps(high ? _mm512_unpackhi_pd(x, y) : _mm512_unpacklo_pd(x, y));
}
// Rows to columns, of LANES rows.
INLINE void v_transpose(vf *r) {
  vf t[16];
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i += 4) {
    r[i] = vf_pairs(t[i], t[i + 2], 0);
    r[i + 1] = vf_pairs(t[i], t[i + 2], 1);
    r[i + 2] = vf_pairs(t[i + 1], t[i + 3], 0);
    r[i + 3] = vf_pairs(t[i + 1], t[i + 3], 1);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i++) {
    r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
  }
}
