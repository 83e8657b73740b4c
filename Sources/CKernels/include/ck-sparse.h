// Products with sparse weights. Outputs run across the vectors, so that a weight that is not zero costs a broadcast and
// a fused multiply-add for each vector of outputs, and one that is zero costs nothing.
//
// A strip is a piece of the matrix of patches, transposed: up to CK_STRIP_ROWS rows, each with the factors of some outputs
// side by side, whole sixteens up to CK_STRIP, a word of 32 bits for each: a float, or four uint8 of neighbouring channels.
// So many rows of so many words are 48 KB: about what the first level of caches holds, and enough rows that a filter's sums
// are taken up again seldom.
//
// A block holds the weights, words alike, that meet the rows of one strip. Filters with the same number of them come one
// after the other, as a run, so that the loop over a filter's weights ends where the branch predictor expects it.
//
// Contracts as in ck-kernels.h: a filter's weights come in ascending order of rows, so that each float output is one
// chain of fused multiply-adds in ascending order of k. Zeros take no part in it.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ck-kernels.h"

#define CK_STRIP 64
#define CK_STRIP_ROWS 192

typedef struct {
  uint16_t filters, nonzeros;  // each of so many filters has so many weights
} ck_sparse_run;

typedef struct {
  const ck_sparse_run *runs;
  size_t run_count;
  const uint16_t *filters;  // of all runs
  const uint8_t *rows;      // of the strip, for each weight
  const void *values;       // the weights
} ck_sparse_block;

// strip (rows, 16 * sixteens), sums (filters, 16 * sixteens): each filter of the block begins with start[filter], or where
// start is NULL with its former sums, and adds its weights times their rows of the strip.
typedef void ck_f32_sparse_fn(const ck_sparse_block *block, size_t sixteens, const float *strip, const float *start,
                              float *sums);
// The same of integers, from 0 where `starts`. A row may come twice in a filter; where the set has a tile for quads, no
// word's pairs of weights leave 16 bits, as in those of ck_u8s8_quads_fn.
typedef void ck_u8s8_sparse_fn(const ck_sparse_block *block, size_t sixteens, const uint8_t *strip, bool starts,
                               int32_t *sums);

// out[column * pitch + row] = in[row][column], in words of 32 bits; there are at most 16 rows.
typedef void ck_transpose_fn(size_t rows, size_t columns, const void *const *in, void *out, size_t pitch);
// The same of floats, clamped.
typedef void ck_f32_transpose_clamp_fn(size_t rows, size_t columns, const float *const *in, float lo, float hi,
                                       float *out, size_t pitch);

// The same of any number of rows of sums that become codes (see ck-kernels.h), bias and scale per row; rows of `in` are
// readable up to columns rounded up to 16.
typedef void ck_i32_transpose_codes_fn(size_t rows, size_t columns, const int32_t *const *in,
                                       const ck_requantization *to, uint8_t *out, size_t pitch);

// The sparse weights of a step: one block for each part and piece of the depth, part by part. A part is some filters one
// after the other, a multiple of 16 but for the last, with about as many weights as any other. Offsets are bytes of the
// step's constants.
typedef struct {
  size_t depth;  // rows of all strips
  size_t parts;
  size_t nonzeros;
  size_t bounds;  // uint32: where each part's filters begin, and where the last ends
  size_t places;  // a ck_sparse_place for each block
  size_t runs, filters, rows, values;
} ck_sparse_weights;

// Where a block's arrays begin, each in elements; values as rows.
typedef struct {
  uint32_t run, run_count, filter, row;
} ck_sparse_place;
