// Packing of weights for the kernels, and portable loops that need no variant per instruction set.
#pragma once
#include <stddef.h>
#include <stdint.h>

// out[p*width + j] = from[j*column_step + p*row_step] for j < n, else 0; p < k.
void ck_f32_pack(size_t n, size_t width, size_t k, const float *from, size_t column_step, size_t row_step, float *out);
void ck_f32_pack_half(size_t n, size_t width, size_t k, const float *from, size_t column_step, size_t row_step,
                      uint16_t *out);
// from (n,k) by rows, into the layout of ck_u8s8_gemm_fn.
void ck_s8_pack(size_t n, size_t width, size_t k, const int8_t *from, int8_t *out);
// from (n,k) by rows, n <= 32, k >= 4, into quads for ck_u8s8_quads_fn, whose number it returns. Where two weights would
// leave 16 bits, what they are too much by moves to a quad that follows. With no `out` it only counts: there are at most
// k + 4.
size_t ck_s8_quads(size_t n, size_t width, size_t k, const int8_t *from, uint32_t *at, int8_t *out);
// Of four weights that meet four neighbouring activations those that have to move, in their places, else 0.
uint32_t ck_s8_moving(uint32_t four);
// The same of codes, B(p, j) = from[j*column_step + p*row_step] - 128, and the sum of each column.
void ck_u8_pack(size_t n, size_t width, size_t k, const uint8_t *from, size_t column_step, size_t row_step, int8_t *out,
                int32_t *sums);

// The gradient of maximum pooling, added to `to`, by index.
void ck_f32_scatter_add(size_t n, const int32_t *index, const float *g, float *to);

// to[i] = lo < clamped[i] < hi ? g[i] : 0
void ck_f32_clamp_gradient(size_t n, const float *g, const float *clamped, float lo, float hi, float *to);

// out[i] = table[a[i]]; table has 256 entries.
void ck_u8_lookup(size_t n, const uint8_t *a, const uint8_t *table, uint8_t *out);
// What lies above the limit becomes it.
void ck_u8_limit(size_t n, uint8_t limit, uint8_t *codes);

// Least and greatest of n >= 1 numbers, NaN counting as greater than infinity or less than its negative by its sign.
void ck_f32_total_range(size_t n, const float *a, float *least, float *greatest);
// counts[floor(a * inverse_width) + half]++ for every a; inverse_width is a power of two, every a lies strictly within
// half / inverse_width of zero, and there are 2 * half counts.
void ck_f32_histogram(size_t n, const float *a, float inverse_width, int32_t half, uint32_t *counts);

// out = (q - zero_point) * scale, q = min(max(roundHalfEven(a * inverse_scale) + zero_point, 0), limit), NaN giving
// q = 0; limit < 2^22.
void ck_f32_round_affine(size_t n, const float *a, float inverse_scale, float zero_point, float limit, float scale,
                         float *out);
// out = levels[number of middles below a]; middles has 255 entries, ascending, infinity where there are no more.
void ck_f32_round_levels(size_t n, const float *a, const float *middles, const float *levels, float *out);
