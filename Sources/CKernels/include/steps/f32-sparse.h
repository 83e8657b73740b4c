// A float32 convolution or dense layer, of one group, with sparse weights (see ck-sparse.h): strips of patches are
// gathered from the image and multiplied with each filter's weights that are not zero.
//
// Order of the sums: each output is one chain of fused multiply-adds over kernel row, kernel column and input channel,
// from the bias, then the clamp; weights that are zero are left out.
#pragma once
#include "../ck-geometry.h"
#include "../ck-sparse.h"
#include "../ck-step.h"

typedef struct {
  ck_geometry geometry;
  ck_sparse_weights weights;
  float lo, hi;
  size_t bias, padding;  // where they lie in the constants: of each output; a pixel of zeros
} ck_f32_sparse;

// inputs: images; outputs: images.
void ck_run_f32_sparse(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_f32_sparse;
size_t ck_scratch_f32_sparse(const void *step, size_t batch, size_t threads);
