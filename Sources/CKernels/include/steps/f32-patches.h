// A float32 convolution or dense layer as a product of the matrix of patches with packed weights, group by group.
// Patches are gathered a piece of rows at a time; where windows are single pixels the image itself is that matrix.
//
// Order of the sums: each output is one chain of fused multiply-adds over kernel row, kernel column and input channel,
// from the bias, then the clamp. With bfloat16 factors the chain goes by pairs (see ck-bf16.h).
#pragma once
#include "../ck-geometry.h"
#include "../ck-panels.h"
#include "../ck-step.h"

typedef struct {
  ck_geometry geometry;
  ck_tile tile;  // that the weights are packed for
  ck_storage storage;
  float lo, hi;
  ck_cut_limits limits;
  size_t group_bytes;  // from one group's panels to the next; the first are at the beginning of the constants
  size_t bias;         // where sums begin, at this byte of the constants: the padded columns of each group
} ck_f32_patches;

// inputs: images; outputs: images.
void ck_run_f32_patches(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_f32_patches;
size_t ck_scratch_f32_patches(const void *step, size_t batch, size_t threads);
