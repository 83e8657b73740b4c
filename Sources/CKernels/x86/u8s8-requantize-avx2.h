// Requantization of two vectors at once; the same bits as the reference (see ck-kernels.h): with the clamp from above
// moved before the rounding, which it commutes with, the conversion cannot overflow, and 16-bit and 8-bit saturation do
// the rest.
#pragma once
#include "../kernel.h"

typedef struct {
  vf high;  // hi - zero point
  vi zero;  // in every 16-bit lane
  __m128i low;  // in every 8-bit lane
} requantizer;

INLINE requantizer requantizer_of(const ck_requantization *to) {
  return (requantizer){vf_set((float)(to->hi - to->zero_point)), _mm256_set1_epi16((short)to->zero_point),
                       _mm_set1_epi8((char)to->lo)};
}

// Sums of 16 columns, the bias already among them, into their codes.
INLINE __m128i requantize_2(requantizer q, const vi sums[2], const vf scales[2]) {
  vi x[2];
#pragma clang loop unroll(full)
  for (size_t v = 0; v < 2; v++) x[v] = vi_from_vf(vf_min(vf_mul(vf_from_vi(sums[v]), scales[v]), q.high));
  const vi words = _mm256_adds_epi16(_mm256_packs_epi32(x[0], x[1]), q.zero);
  // Four columns of the first vector, four of the second; the upper half alike.
  const vi packed = _mm256_packus_epi16(words, words);
  const __m128i codes = _mm_unpacklo_epi32(_mm256_castsi256_si128(packed), _mm256_extracti128_si256(packed, 1));
  return _mm_max_epu8(codes, q.low);
}
