// The vector vocabulary of the kernel bodies, in AVX2 with FMA and F16C: 8 lanes. *_n touch only the first
// n lanes' memory, and read zero into the others.
#pragma once
#include "../kernel.h"

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define CK_TARGET "avx2,fma,f16c"
#define CK_SUFFIX avx2
#define LANES 8
#define INLINE static inline __attribute__((always_inline, target(CK_TARGET)))

typedef __m256 vf;
typedef __m256i vi;

INLINE vi vi_lane(void) { return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }
INLINE vi v_mask(size_t n) { return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), vi_lane()); }
INLINE vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
INLINE vf vf_load_n(const float *p, size_t n) { return _mm256_maskload_ps(p, v_mask(n)); }
INLINE void vf_store(float *p, vf v) { _mm256_storeu_ps(p, v); }
// Masked stores are microcode on AMD's processors (Zen 3: 9 times as long as whole ones), so whole vectors avoid them.
INLINE void vf_store_n(float *p, vf v, size_t n) {
  if (n >= LANES) _mm256_storeu_ps(p, v);
  else _mm256_maskstore_ps(p, v_mask(n), v);
}
INLINE vf vf_set(float x) { return _mm256_set1_ps(x); }
INLINE vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
INLINE vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
INLINE vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
INLINE vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
INLINE vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }  // a > b ? a : b
INLINE vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }  // a < b ? a : b
INLINE vf vf_round(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
INLINE vf vf_half(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
INLINE void vf_store_half(uint16_t *p, vf v) {
  _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
INLINE vf vf_from_vi(vi v) { return _mm256_cvtepi32_ps(v); }
INLINE vi vi_from_vf(vf v) { return _mm256_cvtps_epi32(v); }
INLINE vf vf_of_bits(vi v) { return _mm256_castsi256_ps(v); }
INLINE vi vi_set(int32_t x) { return _mm256_set1_epi32(x); }
INLINE vi vi_load(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
INLINE void vi_store(void *p, vi v) { _mm256_storeu_si256((__m256i *)p, v); }
INLINE vi vi_load_n(const int32_t *p, size_t n) { return _mm256_maskload_epi32(p, v_mask(n)); }
INLINE void vi_store_n(int32_t *p, vi v, size_t n) {
  if (n >= LANES) _mm256_storeu_si256((__m256i *)p, v);
  else _mm256_maskstore_epi32(p, v_mask(n), v);
}
INLINE __m128i v_bytes_n(const void *p, size_t n) {
  if (n >= 8) return _mm_loadl_epi64((const __m128i *)p);
  uint64_t bytes = 0;
  for (size_t i = 0; i < n; i++) bytes |= (uint64_t)((const uint8_t *)p)[i] << (8 * i);
  return _mm_cvtsi64_si128((long long)bytes);
}
INLINE vi vi_load_u8_n(const uint8_t *p, size_t n) { return _mm256_cvtepu8_epi32(v_bytes_n(p, n)); }
INLINE vi vi_load_s8_n(const int8_t *p, size_t n) { return _mm256_cvtepi8_epi32(v_bytes_n(p, n)); }
INLINE void vi_store_u8_n(uint8_t *p, vi v, size_t n) {
  __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  __m128i packed = _mm_packus_epi16(words, words);
  if (n >= 8) {
    _mm_storel_epi64((__m128i *)p, packed);
    return;
  }
  uint64_t bytes = (uint64_t)_mm_cvtsi128_si64(packed);
  for (size_t i = 0; i < n; i++) p[i] = (uint8_t)(bytes >> (8 * i));
}
INLINE vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
INLINE vi vi_sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
INLINE vi vi_or(vi a, vi b) { return _mm256_or_si256(a, b); }
INLINE vi vi_shift_left(vi a, int bits) { return _mm256_slli_epi32(a, bits); }
INLINE vi vi_mul(vi a, vi b) { return _mm256_mullo_epi32(a, b); }
INLINE vi vi_first_s8(vi a) { return _mm256_srai_epi32(_mm256_slli_epi32(a, 24), 24); }  // each lane's lowest byte
INLINE vi vi_next_byte(vi a) { return _mm256_srli_epi32(a, 8); }
INLINE vi vi_max(vi a, vi b) { return _mm256_max_epi32(a, b); }
// b's lanes where x > y, else a's.
INLINE vf vf_pick_greater(vf x, vf y, vf a, vf b) { return _mm256_blendv_ps(a, b, _mm256_cmp_ps(x, y, _CMP_GT_OQ)); }
INLINE vi vi_pick_greater(vf x, vf y, vi a, vi b) {
  return _mm256_blendv_epi8(a, b, _mm256_castps_si256(_mm256_cmp_ps(x, y, _CMP_GT_OQ)));
}
// sum + the products of a lane's four unsigned and four signed bytes, of weights whose pairs do not leave 16 bits (see
// ck_u8s8_quads_fn).
INLINE vi vi_dot_4(vi sum, vi bytes, vi weights) {
  return vi_add(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(bytes, weights), _mm256_set1_epi16(1)));
}
INLINE vf vf_pairs(vf a, vf b, int high) {
  const __m256d x = _mm256_castps_pd(a), y = _mm256_castps_pd(b);
  return _mm256_castpd_ps(high ? _mm256_unpackhi_pd(x, y) : _mm256_unpacklo_pd(x, y));
}
// Rows to columns, of LANES rows.
INLINE void v_transpose(vf *r) {
  vf t[8];
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i += 4) {
    r[i] = vf_pairs(t[i], t[i + 2], 0);
    r[i + 1] = vf_pairs(t[i], t[i + 2], 1);
    r[i + 2] = vf_pairs(t[i + 1], t[i + 3], 0);
    r[i + 3] = vf_pairs(t[i + 1], t[i + 3], 1);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) {
    t[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
    t[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i++) r[i] = t[i];
}
