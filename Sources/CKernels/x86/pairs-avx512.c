#if defined(__x86_64__)
#include "../vector/avx512.h"
#include "u8s8-requantize-avx512.h"

#include "ck-kernels.h"

// 16 codes less their zero point, in steps.
INLINE vf steps_of(const uint8_t *codes, vi zero, vf scale) {
  const vi wide = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)codes));
  return vf_mul(vf_from_vi(vi_sub(wide, zero)), scale);
}

// 64 sums of two codes; see u8_rows.
#define HAS_SUMS_OF_64
INLINE void sums_of_64(const uint8_t *a, const uint8_t *b, const ck_u8_pair_parameters *p, uint8_t *out) {
  const vi zero_a = vi_set(p->zero_a), zero_b = vi_set(p->zero_b);
  const vf scale_a = vf_set(p->scale_a), scale_b = vf_set(p->scale_b);
  const requantizer q = {vf_set((float)(p->hi - p->zero_point)), _mm512_set1_epi16((short)p->zero_point),
                         _mm512_set1_epi8((char)p->lo)};
  vf sums[4];
#pragma clang loop unroll(full)
  for (size_t i = 0; i < 4; i++) {
    sums[i] = vf_add(steps_of(a + 16 * i, zero_a, scale_a), steps_of(b + 16 * i, zero_b, scale_b));
  }
  // Fours of each vector come one after the other in each 128-bit lane.
  const vi order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  vi_store(out, _mm512_permutexvar_epi32(order, requantized_4(q, sums)));
}

#include "../vector/pairs.inc.h"
#endif
