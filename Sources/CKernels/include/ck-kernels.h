// The leaf kernels: no allocation, no policy, no I/O. A kernel gives the same bits in every instruction set; the
// scalar one is the reference. Which there are, and for which tiles, is in ck-table.h; products of bfloat16 numbers
// are in ck-bf16.h.
//
// Contract for float32. Each output is one chain of fused multiply-adds in ascending order of k (in a
// convolution: kernel row, kernel column, input channel), from the bias, or from the output's former value;
// then the clamp, x < lo ? lo : x > hi ? hi : x, which lets NaN through. Sums and products elsewhere are
// rounded one by one, in the order stated.
//
// Contract for integers. Unsigned 8-bit activations times signed 8-bit weights add up exactly in 32 bits; the
// caller sees to it that k * 255 * 128 stays below 2^31. Requantization is
//     q = min(max(roundHalfEven(float(acc + bias) * scale) + zero_point, lo), hi)
// in float32, where float() rounds to nearest even and scale is finite.
//
// Nothing is read or written outside the operands as described.
#pragma once
#include <stddef.h>
#include <stdint.h>

// C (m,n) = clamp(start + A (m,k) B (k,n)) for one tile: m and n are at most the tile's rows and columns.
// Row p of B begins at b + p*ldb and is readable up to n rounded up to the tile's lanes, and so is start. A NULL start
// continues from C.
typedef void ck_f32_gemm_fn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                            const float *start, float *c, size_t ldc, float lo, float hi);
// The same with B in half precision, widened exactly.
typedef void ck_f32_gemm_half_fn(size_t m, size_t n, size_t k, const float *a, size_t lda, const uint16_t *b,
                                 size_t ldb, const float *start, float *c, size_t ldc, float lo, float hi);
// The same with A stored by columns: A(row, p) is a[p*lda + row].
typedef void ck_f32_gemm_columns_fn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
                                    size_t ldb, const float *start, float *c, size_t ldc, float lo, float hi);

// C (m,n) += S for one such tile, where S is one chain of fused multiply-adds from zero over image, row and column,
// each ascending: of A(row, image, y, x) = a[image*a_image + y*a_row + x*a_column + row], and B(column, ...) alike.
typedef struct {
  size_t images, rows, columns;
  size_t a_image, a_row, a_column, b_image, b_row, b_column;
} ck_pixels;
typedef void ck_f32_gemm_pixels_fn(size_t m, size_t n, const ck_pixels *pixels, const float *a, const float *b,
                                   float *c, size_t ldc);

// out (pixels, channels) = clamp(bias + sum over t of *tap[t] * weights[t]); weights (taps, channels). The taps are
// those of the first pixel; from one pixel to the next each is `step` elements further.
typedef void ck_f32_depthwise_fn(size_t pixels, size_t channels, size_t taps, const void *const *tap, size_t step,
                                 const float *weights, const float *bias, float *out, size_t ld, float lo, float hi);
// Its gradients: *tap[t] = fma(g, weights[t], *tap[t]), and weights[t] = fma(*tap[t], g, weights[t]), in
// ascending (pixel, tap) order, for g (pixels, channels).
typedef void ck_f32_depthwise_spread_fn(size_t pixels, size_t channels, size_t taps, void *const *tap, size_t step,
                                        const float *weights, const float *g, size_t ld);
typedef void ck_f32_depthwise_gather_fn(size_t pixels, size_t channels, size_t taps, const void *const *tap,
                                        size_t step, const float *g, size_t ld, float *weights);

// Winograd's F(m x m, 3x3) (Lavin and Gray 2016): m x m outputs of a 3x3 convolution are
//     At [(G w Gt) * (Bt d B)] A
// of a tile d of (m + 2) x (m + 2) pixels, the product in the middle being element by element. Each kernel is one side
// of it, L X Lt for a small square X whose elements, in row order, are vectors of channels: in[i], out[i] point to
// `channels` numbers. L acts on the columns of X first, then on the rows of what that gives. Sums and products are
// rounded one by one in the order of the brackets; `fma` is rounded once.
//
// Four outputs at a time, m = 2:
//     tile     4 -> 4  d0 - d2, d1 + d2, d2 - d1, d1 - d3
//     weights  3 -> 4  w0, ((w0 + w2) + w1) / 2, ((w0 + w2) - w1) / 2, w2
//     outputs  4 -> 2  (s0 + s1) + s2, (s1 - s2) - s3
// and their transposes, for gradients:
//     spread   2 -> 4  g0, g0 + g1, g0 - g1, 0 - g1
//     collect  4 -> 3  s0 + (s1 + s2) / 2, (s1 - s2) / 2, (s1 + s2) / 2 + s3
// Outputs end with out = clamp(L X Lt + bias).
typedef void ck_f32_winograd_tile_fn(size_t channels, const float *const *in, float *const *out);
typedef void ck_f32_winograd_weights_fn(size_t channels, const float *const *in, float *const *out);
typedef void ck_f32_winograd_outputs_fn(size_t channels, const float *const *in, const float *bias, float lo, float hi,
                                        float *const *out);
typedef void ck_f32_winograd_spread_fn(size_t channels, const float *const *in, float *const *out);
typedef void ck_f32_winograd_collect_fn(size_t channels, const float *const *in, float *const *out);

// Sixteen at a time, m = 4, from the polynomials' values at 0, a, -a, b, -b and infinity for a = 5/8, b = 3/2: of pairs
// that float32 holds exactly with their powers and products, one of those that keep the sums' errors least.
//     tile     6 -> 6  fma(aabb, d0, fma(-(aa + bb), d2, d4)),
//                      fma(a, o, e), fma(-a, o, e)   of  o = fma(-bb, d1, d3), e = fma(-bb, d2, d4),
//                      fma(b, o, e), fma(-b, o, e)   of  o = fma(-aa, d1, d3), e = fma(-aa, d2, d4),
//                      fma(aabb, d1, fma(-(aa + bb), d3, d5))
//     outputs  6 -> 4  of p = s1 + s2, m = s1 - s2, q = s3 + s4, n = s3 - s4:
//                      (s0 + p) + q, fma(b, n, a * m), fma(bb, q, aa * p), fma(aaa, m, fma(bbb, n, s5))
typedef void ck_f32_winograd4_tile_fn(size_t channels, const float *const *in, float *const *out);
typedef void ck_f32_winograd4_outputs_fn(size_t channels, const float *const *in, const float *bias, float lo,
                                         float hi, float *const *out);
#define CK_WINOGRAD_A 0.625
#define CK_WINOGRAD_B 1.5

// Pooling: pixel i has counts[i] >= 1 taps at tap[i * stride ...]; out (pixels, channels).
// Maximum: the first of equals. index receives the winner's offset from `origin`, in elements; it may be NULL.
typedef void ck_f32_max_pool_fn(size_t pixels, size_t channels, size_t stride, const void *const *tap,
                                const uint32_t *counts, const float *origin, float *out, int32_t *index);
// Average: the sum in tap order, divided by float(count).
typedef void ck_f32_average_pool_fn(size_t pixels, size_t channels, size_t stride, const void *const *tap,
                                    const uint32_t *counts, float *out);
typedef void ck_u8_max_pool_fn(size_t pixels, size_t channels, size_t stride, const void *const *tap,
                               const uint32_t *counts, uint8_t *out);
// Average: q = min(max(roundHalfEven(float(exact sum of x - zero) * scale / float(count)) + zero_point, 0), 255), each
// operation rounded by itself.
typedef void ck_u8_average_pool_fn(size_t pixels, size_t channels, size_t stride, const void *const *tap,
                                   const uint32_t *counts, int32_t zero, float scale, int32_t zero_point, uint8_t *out);

// C (m,n) = A (m,k) B (k,n) for one tile, as above. B is stored in groups of four
// k: b[(p/4 * width + column) * 4 + p%4], zero beyond k, width being n rounded up to the tile's lanes or more.
typedef void ck_u8s8_gemm_fn(size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const int8_t *b,
                             size_t width, int32_t *c, size_t ldc);
// The same products where each four of a panel's weights say themselves which activations they meet: quad i those from
// at[i] on, b[(i * width + column) * 4 + j] being what multiplies a[at[i] + j], and all of them lie within a row of A.
// Weights that meet the first two of four, or the last two, add up to at most 128 where both are positive, and to at
// least -128 where both are negative, so that their products' sum fits in 16 bits (ck_s8_quads makes such quads).
typedef void ck_u8s8_quads_fn(size_t m, size_t n, size_t quads, const uint32_t *at, const uint8_t *a, size_t lda,
                              const int8_t *b, size_t width, int32_t *c, size_t ldc);
// out (pixels, channels) = sum over t of *tap[t] * weights[t]; taps as above, weights as B (taps, channels) of width
// `channels`.
typedef void ck_u8s8_depthwise_fn(size_t pixels, size_t channels, size_t taps, const void *const *tap, size_t step,
                                  const int8_t *weights, int32_t *out, size_t ld);
// All three with the requantization above; bias and scale per column, 0 <= zero_point, lo <= hi <= 255.
typedef struct {
  const int32_t *bias;
  const float *scale;
  int32_t zero_point, lo, hi;
} ck_requantization;
typedef void ck_u8s8_gemm_codes_fn(size_t m, size_t n, size_t k, const uint8_t *a, size_t lda, const int8_t *b,
                                   size_t width, const ck_requantization *to, uint8_t *out, size_t ld);
typedef void ck_u8s8_quads_codes_fn(size_t m, size_t n, size_t quads, const uint32_t *at, const uint8_t *a, size_t lda,
                                    const int8_t *b, size_t width, const ck_requantization *to, uint8_t *out,
                                    size_t ld);
typedef void ck_u8s8_depthwise_codes_fn(size_t pixels, size_t channels, size_t taps, const void *const *tap,
                                        size_t step, const int8_t *weights, const ck_requantization *to, uint8_t *out,
                                        size_t ld);
// out (rows, n) = clamp(fma(float(acc - zero_point * sums), input_scale * scale, bias)); sums, scale and bias per
// column.
typedef void ck_i32_dequantize_fn(size_t rows, size_t n, const int32_t *acc, size_t lda, int32_t zero_point,
                                  const int32_t *sums, float input_scale, const float *scale, const float *bias,
                                  float lo, float hi, float *out, size_t ld);

// Element-wise. In place is allowed: out may be an operand.
typedef void ck_f32_add_fn(size_t n, const float *a, const float *b, float lo, float hi, float *out);
typedef void ck_f32_clamp_fn(size_t n, const float *a, float lo, float hi, float *out);
// sums[c] += every a[r*ld + c], in ascending r.
typedef void ck_f32_add_rows_fn(size_t rows, size_t columns, const float *a, size_t ld, float *sums);
// sums[c] = fma(d, d, sums[c]) for d = a[r*columns + c] - center[c], in ascending r.
typedef void ck_f32_add_squares_fn(size_t rows, size_t columns, const float *a, const float *center, float *sums);

// A batch norm's y = clamp(fma(x - center, scale, shift)), each by column, and what it takes to go back: g is y's
// gradient where lo < y < hi, elsewhere 0.
typedef struct {
  const float *center, *scale, *shift;
  float lo, hi;
} ck_normalization;
typedef void ck_f32_normalize_fn(size_t rows, size_t columns, const ck_normalization *norm, const float *x, float *y);
// sums[c] += g, products[c] = fma(g, x - center, products[c]), in ascending rows.
typedef void ck_f32_normalize_sums_fn(size_t rows, size_t columns, const ck_normalization *norm, const float *x,
                                      const float *dy, float *sums, float *products);
// dx = fma(center - x, slope[c], g - mean[c]) * scale; dx may be dy.
typedef void ck_f32_normalize_gradient_fn(size_t rows, size_t columns, const ck_normalization *norm, const float *x,
                                          const float *dy, const float *mean, const float *slope, float *dx);
// out = a * clamp(a + 3, 0, 6) / 6, each operation rounded by itself.
typedef void ck_f32_hard_swish_fn(size_t n, const float *a, float *out);
// exp and what is made of it; in which order of operations, and within what error, smooth-terms.h says.
typedef enum {
  ck_smooth_exp,
  ck_smooth_sigmoid,
  ck_smooth_tanh,
  ck_smooth_erf,
  ck_smooth_silu,
  ck_smooth_gelu,
  ck_smooth_gelu_tanh,
} ck_smooth_function;
typedef void ck_f32_smooth_fn(ck_smooth_function function, size_t n, const float *a, float *out);
// Least and greatest of n >= 1 numbers; a NaN in the data leaves both unspecified.
typedef void ck_f32_range_fn(size_t n, const float *a, float *least, float *greatest);
// q = min(max(roundHalfEven(a * inverse_scale) + zero_point, 0), 255)
typedef void ck_f32_quantize_fn(size_t n, const float *a, float inverse_scale, int32_t zero_point, uint8_t *out);
// (q - zero_point) * scale
typedef void ck_u8_dequantize_fn(size_t n, const uint8_t *a, float scale, int32_t zero_point, float *out);
// Rounded to nearest even; a NaN stays one.
typedef void ck_f32_to_half_fn(size_t n, const float *a, uint16_t *out);
typedef void ck_half_to_f32_fn(size_t n, const uint16_t *a, float *out);

// Functions of two operands, by rows: out (rows, n). Element i of row r of a is a[r*a_row + i*a_step], a_step being 0
// or 1, and b alike. In place is allowed where every element lies at the same place in operand and result.
typedef struct {
  size_t rows, n, a_row, a_step, b_row, b_step;
} ck_pair_rows;
typedef enum {
  ck_pair_add,
  ck_pair_mul,
  ck_pair_sub,
  ck_pair_div,
  ck_pair_min,  // of floats that are not NaN: a < b ? a : b; else NaN
  ck_pair_max,  // a > b ? a : b, likewise
  ck_pair_pow,  // the C library's
} ck_pair_function;
// clamp(a + b) and alike
typedef void ck_f32_pairs_fn(ck_pair_function function, const ck_pair_rows *rows, const float *a, const float *b,
                             float lo, float hi, float *out);
// q = min(max(roundHalfEven(x) + zero_point, lo), hi), each operation rounded by itself, where x is
//     add  float(a - zero_a) * scale_a + float(b - zero_b) * scale_b
//     mul  float((a - zero_a) * (b - zero_b)) * scale_a
//     min, max  of what add adds; there are no others (a difference is a sum with scale_b negated)
typedef struct {
  int32_t zero_a, zero_b, zero_point, lo, hi;
  float scale_a, scale_b;
} ck_u8_pair_parameters;
typedef void ck_u8_pairs_fn(ck_pair_function function, const ck_pair_rows *rows, const uint8_t *a, const uint8_t *b,
                            const ck_u8_pair_parameters *parameters, uint8_t *out);
