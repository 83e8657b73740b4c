#if defined(__x86_64__)
#define GEMM_ROWS 2
#include "../vector/avx2.h"

// vpmaddubsw saturates its 16-bit sums (255*127*2 does not fit); vpmaddwd adds pairs in 32 bits.
typedef __m256i vw;
INLINE vw vw_repeat_u8(uint32_t four) { return _mm256_cvtepu8_epi16(_mm_set1_epi32((int)four)); }
INLINE vw vw_load_s8(const int8_t *p) { return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)p)); }
INLINE vi vi_pair_sums(vw x, vw w) { return _mm256_madd_epi16(x, w); }
INLINE vi vi_join(vi a, vi b) {
  return _mm256_permutevar8x32_epi32(_mm256_hadd_epi32(a, b), _mm256_setr_epi32(0, 1, 4, 5, 2, 3, 6, 7));
}

#include "../vector/u8s8-gemm.inc.h"
#endif
