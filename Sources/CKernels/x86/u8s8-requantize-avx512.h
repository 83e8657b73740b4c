// Requantization of many sums at once; the same bits as the reference (see ck-kernels.h):
// with the clamp from above moved before the rounding, which it commutes with, the conversion cannot overflow, and
// 16-bit and 8-bit saturation do the rest.
#pragma once
#include "../kernel.h"

typedef struct {
  vf high;      // hi - zero point
  vi zero, low; // in every 16-bit and every 8-bit lane
} requantizer;

INLINE requantizer requantizer_of(const ck_requantization *to) {
  return (requantizer){vf_set((float)(to->hi - to->zero_point)), _mm512_set1_epi16((short)to->zero_point),
                       _mm512_set1_epi8((char)to->lo)};
}

// Four vectors, in steps of the codes, into 64 codes. Within each 128-bit lane come that lane's four of the first vector,
// then those of the others.
INLINE vi requantized_4(requantizer q, const vf steps[4]) {
  vi x[4];
#pragma clang loop unroll(full)
  for (size_t v = 0; v < 4; v++) x[v] = _mm512_cvtps_epi32(vf_min(steps[v], q.high));
  const vi low = _mm512_adds_epi16(_mm512_packs_epi32(x[0], x[1]), q.zero);
  const vi high = _mm512_adds_epi16(_mm512_packs_epi32(x[2], x[3]), q.zero);
  return _mm512_max_epu8(_mm512_packus_epi16(low, high), q.low);
}

// The same of sums.
INLINE vi requantize_4(requantizer q, const vi sums[4], const vf scales[4]) {
  vf steps[4];
#pragma clang loop unroll(full)
  for (size_t v = 0; v < 4; v++) steps[v] = vf_mul(vf_from_vi(sums[v]), scales[v]);
  return requantized_4(q, steps);
}
