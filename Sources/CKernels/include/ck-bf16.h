// Matrix products of bfloat16 operands with float32 sums. Few CPUs have instructions for them; the scalar reference
// emulates them.
//
// Contract. Operands come in pairs along k: the even one in the lower half of 32 bits, the odd one in the upper, zero
// beyond k. Each output is one chain in ascending order of pairs, and within a pair
//     sum = fma(a_odd, b_odd, sum); sum = fma(a_even, b_even, sum)
// each step rounded once, to nearest even. Subnormal numbers count as zero, as operands and as results, with their
// sign. That is what VDPBF16PS does, whatever the rounding mode. The bits are the same in every instruction set,
// but for a result that only rounding lifts from just below 2^-126 to that number.
#pragma once
#include <stddef.h>
#include <stdint.h>

// C (m,n) = clamp(start + A B) for one tile, over so many pairs: m and n are at most the tile's rows and columns.
// Pair p of A's row r is a[r*row_step + p*pair_step], of B's column j b[p*width + j], width being n rounded up to the
// tile's lanes; start is readable as far. A NULL start continues from C.
typedef void ck_bf16_gemm_fn(size_t m, size_t n, size_t pairs, const uint32_t *a, size_t row_step, size_t pair_step,
                             const uint32_t *b, size_t width, const float *start, float *c, size_t ldc, float lo,
                             float hi);
// Rows of n numbers rounded to nearest even, a NaN stays one; out (rows, pairs of n).
typedef void ck_bf16_rows_fn(size_t rows, size_t n, const float *a, size_t lda, uint32_t *out);
// out (pairs of k, width): from n numbers at each of k places, zero beyond n and k.
typedef void ck_bf16_columns_fn(size_t n, size_t width, size_t k, const float *const *places, uint32_t *out);

// out, as of ck_bf16_columns_fn, from from[j*column_step + p*row_step]; p < k. Rows before `first` are in place.
void ck_bf16_pack(size_t n, size_t width, size_t first, size_t k, const float *from, size_t column_step,
                  size_t row_step, uint32_t *out);
