#if defined(__x86_64__)
#include "../vector/avx512.h"
#include "u8s8-requantize-avx512.h"

// The codes of 16 sums of each of up to four rows, those of the first row lowest in each lane.
#define HAS_CODES_OF_4
INLINE vi codes_of_4(size_t rows, size_t column, const int32_t *const *in, const ck_requantization *to) {
  vi sums[4];
  vf scales[4];
#pragma clang loop unroll(full)
  for (size_t i = 0; i < 4; i++) {
    sums[i] = i < rows ? vi_add(vi_load(in[i] + column), vi_set(to->bias[i])) : vi_set(0);
    scales[i] = vf_set(i < rows ? to->scale[i] : 0);
  }
  const vi rows_of_4 = requantize_4(requantizer_of(to), sums, scales);
  return _mm512_shuffle_epi8(
      rows_of_4, _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)));
}

#include "../vector/sparse.inc.h"
#endif
