// A convolution or dense layer of uint8 activations, of one group, with sparse int8 weights in blocks of four input
// channels (see ck-sparse.h). The sums are exact, so their order is nobody's concern.
#pragma once
#include "../ck-geometry.h"
#include "../ck-integer-output.h"
#include "../ck-sparse.h"
#include "../ck-step.h"

typedef struct {
  ck_geometry geometry;  // channels are a multiple of four
  ck_sparse_weights weights;
  ck_integer_output output;  // codes of weights without zero points, images that all have the same quantization
  size_t padding;            // where a pixel of the input's zero point lies in the constants
} ck_u8s8_sparse;

// inputs: images; outputs: images of uint8.
void ck_run_u8s8_sparse(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_u8s8_sparse;
size_t ck_scratch_u8s8_sparse(const void *step, size_t batch, size_t threads);
