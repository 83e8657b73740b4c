// The table of steps, with the fields of their structs.
#include "check.h"

#include "steps/concat.h"
#include "steps/conversion.h"
#include "steps/copy.h"
#include "steps/dynamic-convolution.h"
#include "steps/f32-arg-max.h"
#include "steps/f32-attention.h"
#include "steps/f32-bilinear.h"
#include "steps/f32-elements.h"
#include "steps/f32-matmul.h"
#include "steps/f32-norm.h"
#include "steps/f32-patches.h"
#include "steps/f32-prelu.h"
#include "steps/f32-reduce.h"
#include "steps/f32-softmax.h"
#include "steps/f32-sparse.h"
#include "steps/f32-taps.h"
#include "steps/f32-winograd.h"
#include "steps/pad.h"
#include "steps/pairs.h"
#include "steps/pooling.h"
#include "steps/rearrange.h"
#include "steps/u8-attention.h"
#include "steps/u8-bilinear.h"
#include "steps/u8-matmul.h"
#include "steps/u8-norm.h"
#include "steps/u8-softmax.h"
#include "steps/u8s8-patches.h"
#include "steps/u8s8-sparse.h"
#include "steps/u8s8-taps.h"

_Static_assert(sizeof(size_t) == 8 && sizeof(ck_storage) == 4 && sizeof(bool) == 1, "structs are the same everywhere");

// A member of the struct STEP; of several alike, or a struct of such, the first says where they begin.
#define AT(kind, member, greatest) {offsetof(STEP, member), sizeof ((STEP *)0)->member, ck_field_##kind, greatest}
#define F(kind, member) AT(kind, member, 0)
#define OUTPUT(o)                                                                                                      \
  F(flag, o.to_floats), F(byte, o.zero_point), F(byte, o.lo), F(byte, o.hi), F(float, o.low), F(float, o.high),        \
      F(size, o.scales), F(size, o.bias), F(size, o.weight_sums), F(size, o.weight_zero_points), QUANTIZATION(o.input), \
      F(flag, o.per_image)
#define QUANTIZATION(q) F(float, q.scale), F(byte, q.zero_point), F(byte, q.limit)
#define PATCHES(s) \
  F(size, s geometry), F(size, s tile), F(size, s limits), F(size, s group_bytes), F(size, s first_quads), F(size, s places), \
      OUTPUT(s output)
#define PAIRS                                                                                                       \
  AT(enum, pairs.function, ck_pair_pow), F(size, pairs.axes), F(size, pairs.extents), F(size, pairs.steps_a),       \
      F(size, pairs.steps_b), F(size, pairs.count), F(size, pairs.count_a), F(size, pairs.count_b), F(flag, pairs.is_flat)
#define NORM(n)                                                                                                     \
  AT(enum, n statistic, ck_norm_length), F(float, n epsilon), F(size, n positions), F(size, n channels), F(size, n groups)

#define STEP ck_concat
static const ck_field concat[] = {F(size, parts), F(size, rows), F(size, row_bytes)};
#undef STEP
#define STEP ck_conversion
static const ck_field conversion[] = {F(size, count), QUANTIZATION(quantization)};
#undef STEP
#define STEP ck_lookup
static const ck_field lookup[] = {F(size, count)};
#undef STEP
#define STEP ck_affine_rounding
static const ck_field affine_rounding[] = {F(size, count), F(float, scale), F(float, zero_point), F(float, limit)};
#undef STEP
#define STEP ck_level_rounding
static const ck_field level_rounding[] = {F(size, count)};
#undef STEP
#define STEP ck_copy
static const ck_field copy[] = {F(size, bytes)};
#undef STEP
#define STEP ck_dynamic_convolution
static const ck_field dynamic_convolution[] = {F(size, count), F(flag, is_depthwise), PATCHES(patches.),
                                               F(size, taps.window), OUTPUT(taps.output)};
#undef STEP
#define STEP ck_f32_arg_max
static const ck_field f32_arg_max[] = {F(size, outer), F(size, extent), F(size, inner)};
#undef STEP
#define STEP ck_f32_attention
static const ck_field f32_attention[] = {F(size, heads), F(size, queries), F(size, keys),       F(size, depth),
                                         F(size, width), F(float, scale),  F(flag, gives_weights)};
#undef STEP
#define STEP ck_f32_bilinear
static const ck_field f32_bilinear[] = {F(size, in_height), F(size, in_width), F(size, out_height), F(size, out_width),
                                        F(size, channels)};
#undef STEP
#define STEP ck_f32_elements
static const ck_field f32_elements[] = {F(size, count), AT(enum, function, ck_element_hard_sigmoid), F(float, lo),
                                        F(float, hi)};
#undef STEP
#define STEP ck_f32_matmul
static const ck_field f32_matmul[] = {F(size, m),        F(size, n),       F(size, k),       F(size, matrices),
                                      F(size, a_matrix), F(size, b_matrix), F(size, a_count), F(size, b_count),
                                      F(flag, transposes_b)};
#undef STEP
#define STEP ck_f32_norm
static const ck_field f32_norm[] = {NORM()};
#undef STEP
#define STEP ck_f32_patches
static const ck_field f32_patches[] = {F(size, geometry), F(size, tile),   AT(enum, storage, ck_as_bfloat16),
                                       F(float, lo),      F(float, hi),    F(size, limits),
                                       F(size, group_bytes), F(size, bias)};
#undef STEP
#define STEP ck_f32_prelu
static const ck_field f32_prelu[] = {F(size, rows), F(size, channels)};
#undef STEP
#define STEP ck_f32_reduce
static const ck_field f32_reduce[] = {AT(enum, reduction, ck_reduce_min), F(size, results), F(size, elements),
                                      F(size, in_count)};
#undef STEP
#define STEP ck_f32_softmax_step
static const ck_field f32_softmax[] = {F(size, rows), F(size, columns), F(flag, is_logarithm)};
#undef STEP
#define STEP ck_f32_sparse
static const ck_field f32_sparse[] = {F(size, geometry), F(size, weights), F(float, lo), F(float, hi), F(size, bias),
                                      F(size, padding)};
#undef STEP
#define STEP ck_f32_taps
static const ck_field f32_taps[] = {F(size, window), F(float, lo), F(float, hi), F(size, bias)};
#undef STEP
#define STEP ck_f32_winograd
static const ck_field f32_winograd[] = {F(size, window), F(size, outputs), F(size, side),        F(size, tile),
                                        F(float, lo),    F(float, hi),     F(size, piece_bytes), F(size, place_bytes),
                                        F(size, bias),   F(size, zeros)};
#undef STEP
#define STEP ck_pad
static const ck_field pad[] = {F(size, runs),      F(size, run),     F(size, in_count), F(size, out_count),
                               F(size, element),   F(int32, fill),   F(size, table)};
#undef STEP
#define STEP ck_f32_pairs
static const ck_field f32_pairs[] = {PAIRS, F(float, lo), F(float, hi)};
#undef STEP
#define STEP ck_u8_pairs
static const ck_field u8_pairs[] = {PAIRS,
                                    F(int32, parameters.zero_a),
                                    F(int32, parameters.zero_b),
                                    F(int32, parameters.zero_point),
                                    F(int32, parameters.lo),
                                    F(int32, parameters.hi),
                                    F(float, parameters.scale_a),
                                    F(float, parameters.scale_b)};
#undef STEP
#define STEP ck_f32_pooling
static const ck_field f32_pooling[] = {F(size, window), F(flag, is_average), F(flag, counts_padding),
                                       F(flag, gives_winners)};
#undef STEP
#define STEP ck_u8_pooling
static const ck_field u8_pooling[] = {F(size, window),    F(flag, is_average), F(flag, counts_padding),
                                      F(flag, has_table), F(byte, zero),       F(byte, zero_point),
                                      F(byte, limit),     F(float, scale)};
#undef STEP
#define STEP ck_rearrange
static const ck_field rearrange[] = {F(size, element),  F(size, outer),     F(size, inner), F(size, run),
                                     F(size, in_bytes), F(size, out_bytes), F(size, table)};
#undef STEP
#define STEP ck_u8_attention
static const ck_field u8_attention[] = {F(size, heads),      F(size, queries),    F(size, keys),       F(size, depth),
                                        F(size, width),      F(byte, zero_query), F(byte, zero_value), F(byte, zero_point),
                                        F(byte, limit),      F(float, step),      F(float, scale)};
#undef STEP
#define STEP ck_u8_bilinear
static const ck_field u8_bilinear[] = {F(size, in_height), F(size, in_width), F(size, out_height),
                                       F(size, out_width), F(size, channels), F(byte, zero),
                                       F(byte, zero_point), F(byte, limit),   F(float, scale)};
#undef STEP
#define STEP ck_u8_matmul
static const ck_field u8_matmul[] = {F(size, m),          F(size, n),        F(size, k),       F(size, matrices),
                                     F(size, a_matrix),   F(size, b_matrix), F(size, a_count), F(size, b_count),
                                     F(flag, transposes_b), F(byte, zero_a), F(byte, zero_b),  F(byte, zero_point),
                                     F(byte, limit),      F(float, scale)};
#undef STEP
#define STEP ck_u8_norm
static const ck_field u8_norm[] = {NORM(norm.),         F(flag, has_statistics), F(byte, zero),
                                   F(byte, zero_point), F(byte, limit),          F(float, scale)};
#undef STEP
#define STEP ck_u8_softmax
static const ck_field u8_softmax[] = {F(size, rows), F(size, columns), F(byte, zero_point), F(byte, limit),
                                      F(float, scale)};
#undef STEP
#define STEP ck_u8s8_patches
static const ck_field u8s8_patches[] = {PATCHES()};
#undef STEP
#define STEP ck_u8s8_sparse
static const ck_field u8s8_sparse[] = {F(size, geometry), F(size, weights), OUTPUT(output), F(size, padding)};
#undef STEP
#define STEP ck_u8s8_taps
static const ck_field u8s8_taps[] = {F(size, window), OUTPUT(output)};
#undef STEP

static bool always(const void *step) { return (void)step, true; }
static bool never(const void *step) { return (void)step, false; }
static bool where_flat(const void *step) { return ((const ck_pairs *)step)->is_flat; }

#define KIND(name, type, fields, place) \
  {#name, sizeof(type), ck_run_##name, NULL, ck_check_##name, place, fields, sizeof fields / sizeof fields[0]},
#define KIND_WITH_SCRATCH(name, type, fields)                                                         \
  {#name, sizeof(type), ck_run_##name, ck_scratch_##name, ck_check_##name, never, fields,             \
   sizeof fields / sizeof fields[0]},
static const ck_step_kind kinds[] = {
    KIND(concat, ck_concat, concat, never)
    KIND(constant, ck_copy, copy, never)
    KIND(copy, ck_copy, copy, never)
    KIND(dequantize, ck_conversion, conversion, never)
    KIND_WITH_SCRATCH(dynamic_convolution, ck_dynamic_convolution, dynamic_convolution)
    KIND(f32_arg_max, ck_f32_arg_max, f32_arg_max, never)
    KIND_WITH_SCRATCH(f32_attention, ck_f32_attention, f32_attention)
    KIND(f32_bilinear, ck_f32_bilinear, f32_bilinear, never)
    KIND(f32_elements, ck_f32_elements, f32_elements, always)
    KIND_WITH_SCRATCH(f32_matmul, ck_f32_matmul, f32_matmul)
    KIND(f32_norm, ck_f32_norm, f32_norm, always)
    KIND(f32_pairs, ck_f32_pairs, f32_pairs, where_flat)
    KIND_WITH_SCRATCH(f32_patches, ck_f32_patches, f32_patches)
    KIND_WITH_SCRATCH(f32_pooling, ck_f32_pooling, f32_pooling)
    KIND(f32_prelu, ck_f32_prelu, f32_prelu, always)
    KIND(f32_reduce, ck_f32_reduce, f32_reduce, never)
    KIND(f32_softmax, ck_f32_softmax_step, f32_softmax, always)
    KIND_WITH_SCRATCH(f32_sparse, ck_f32_sparse, f32_sparse)
    KIND_WITH_SCRATCH(f32_taps, ck_f32_taps, f32_taps)
    KIND_WITH_SCRATCH(f32_winograd, ck_f32_winograd, f32_winograd)
    KIND(lookup, ck_lookup, lookup, always)
    KIND(pad, ck_pad, pad, never)
    KIND(quantize, ck_conversion, conversion, never)
    KIND(rearrange, ck_rearrange, rearrange, never)
    KIND(round_affine, ck_affine_rounding, affine_rounding, always)
    KIND(round_levels, ck_level_rounding, level_rounding, always)
    KIND_WITH_SCRATCH(u8_attention, ck_u8_attention, u8_attention)
    KIND(u8_bilinear, ck_u8_bilinear, u8_bilinear, never)
    KIND_WITH_SCRATCH(u8_matmul, ck_u8_matmul, u8_matmul)
    KIND(u8_norm, ck_u8_norm, u8_norm, always)
    KIND(u8_pairs, ck_u8_pairs, u8_pairs, where_flat)
    KIND_WITH_SCRATCH(u8_pooling, ck_u8_pooling, u8_pooling)
    KIND(u8_softmax, ck_u8_softmax, u8_softmax, always)
    KIND_WITH_SCRATCH(u8s8_patches, ck_u8s8_patches, u8s8_patches)
    KIND_WITH_SCRATCH(u8s8_sparse, ck_u8s8_sparse, u8s8_sparse)
    KIND_WITH_SCRATCH(u8s8_taps, ck_u8s8_taps, u8s8_taps)
};

const ck_step_kind *ck_step_kinds(size_t *count) {
  *count = sizeof kinds / sizeof kinds[0];
  return kinds;
}
