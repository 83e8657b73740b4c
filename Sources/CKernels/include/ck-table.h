// The table of kernels: one row for each file of them, and the choice among the rows.
//
// To add a kernel to a family, write a file that defines the family's functions under a suffix of its own and add its
// row to rows.inc.h; declarations, selection, and the tests against the scalar reference follow from the row. A new
// family needs its list of functions here, its scalar row, and a check in Tests/KernelChecks.
#pragma once
#include <stddef.h>

#include "ck-bf16.h"
#include "ck-isa.h"
#include "ck-kernels.h"
#include "ck-sparse.h"

// The families: functions that come together, in one file, because they share a tile or an algorithm. Every list of
// functions is made from these.
#define CK_f32_products(X, with) \
  X(f32_gemm, with) X(f32_gemm_half, with) X(f32_gemm_columns, with) X(f32_gemm_pixels, with)
#define CK_bf16_products(X, with) X(bf16_gemm, with) X(bf16_rows, with) X(bf16_columns, with)
#define CK_u8s8_products(X, with) X(u8s8_gemm, with) X(u8s8_gemm_codes, with)
#define CK_u8s8_quads(X, with) X(u8s8_quads, with) X(u8s8_quads_codes, with)
#define CK_f32_depthwise(X, with) X(f32_depthwise, with) X(f32_depthwise_spread, with) X(f32_depthwise_gather, with)
#define CK_u8s8_depthwise(X, with) X(u8s8_depthwise, with) X(u8s8_depthwise_codes, with)
#define CK_integer_sums(X, with) X(i32_dequantize, with)
#define CK_winograd(X, with)                                                                            \
  X(f32_winograd_tile, with) X(f32_winograd_weights, with) X(f32_winograd_outputs, with)                \
  X(f32_winograd_spread, with) X(f32_winograd_collect, with)                                            \
  X(f32_winograd4_tile, with) X(f32_winograd4_outputs, with)
#define CK_sparse(X, with)                                                                              \
  X(f32_sparse, with) X(u8s8_sparse, with) X(transpose, with) X(f32_transpose_clamp, with)              \
  X(i32_transpose_codes, with)
#define CK_pooling(X, with) \
  X(f32_max_pool, with) X(f32_average_pool, with) X(u8_max_pool, with) X(u8_average_pool, with)
#define CK_normalization(X, with)                                                                       \
  X(f32_normalize, with) X(f32_normalize_sums, with) X(f32_normalize_gradient, with) X(f32_add_squares, with)
#define CK_elementwise(X, with)                                                                         \
  X(f32_add, with) X(f32_add_rows, with) X(f32_clamp, with) X(f32_hard_swish, with) X(f32_range, with)  \
  X(f32_quantize, with) X(u8_dequantize, with) X(f32_to_half, with) X(half_to_f32, with)

#define CK_smooth(X, with) X(f32_smooth, with)
#define CK_pairs(X, with) X(f32_pairs, with) X(u8_pairs, with)

#define CK_FAMILIES(X)                                                                                  \
  X(f32_products) X(bf16_products) X(u8s8_products) X(u8s8_quads) X(f32_depthwise) X(u8s8_depthwise)    \
  X(integer_sums) X(winograd) X(sparse) X(pooling) X(normalization) X(elementwise) X(smooth) X(pairs)
#define CK_FUNCTIONS(X, with)                                                                           \
  CK_f32_products(X, with) CK_bf16_products(X, with) CK_u8s8_products(X, with) CK_u8s8_quads(X, with)      \
  CK_f32_depthwise(X, with) CK_u8s8_depthwise(X, with) CK_integer_sums(X, with) CK_winograd(X, with)    \
  CK_sparse(X, with) CK_pooling(X, with) CK_normalization(X, with) CK_elementwise(X, with)              \
  CK_smooth(X, with) CK_pairs(X, with)

typedef enum {
#define CK_FAMILY(family) ck_family_##family,
  CK_FAMILIES(CK_FAMILY)
#undef CK_FAMILY
  ck_family_count
} ck_family;

// How much of a product one call computes, and the multiple of columns that its operands are padded to. Zero in
// families that know no tile. The scalar kernels take tiles of any size.
typedef struct {
  size_t rows, columns, lanes;
} ck_tile;

#define CK_FIELD(function, with) ck_##function##_fn *function;

typedef struct {
  ck_family family;
  ck_isa isa;
  ck_features needs;  // those of the set included
  ck_tile tile;
  struct {
    CK_FUNCTIONS(CK_FIELD, )
  } functions;  // NULL outside the family, and everywhere in builds for another architecture
} ck_row;

// A set's kernels: of each family the last row whose needs the CPU meets, else the scalar one.
typedef struct {
  ck_isa isa;
  const char *name;
  const ck_row *rows[ck_family_count];  // what was chosen
  ck_tile f32_tile, bf16_tile, u8_tile;
  ck_tile quads_tile;  // zero where the set has a faster way
  CK_FUNCTIONS(CK_FIELD, )
} ck_kernels;
#undef CK_FIELD

// All rows, whatever this build or this machine runs.
const ck_row *ck_rows(size_t *count);
// Whether the row's functions are in this build.
bool ck_row_is_built(const ck_row *row);
const char *ck_family_name(ck_family family);
// The names of all functions, so that tests can tell whether they reach each.
const char *const *ck_function_names(size_t *count);
const char *ck_isa_name(ck_isa isa);

// The kernels of a set for a CPU with these features, which need not be this one: where the functions chosen are for
// another architecture than this build's, the scalar ones stand in, for they give the same bits with any tile. False
// when such a CPU does not run the set.
bool ck_select(ck_isa isa, ck_features features, ck_kernels *kernels);
// The scalar kernels, but for those of one row.
void ck_select_row(const ck_row *row, ck_kernels *kernels);

// Whether this build has no kernels of the set, so that the scalar ones stand in wherever it is selected.
bool ck_isa_stands_in(ck_isa isa);

// The kernels of a set for this machine, selected once; NULL when it does not run the set.
const ck_kernels *ck_kernels_for(ck_isa isa);
