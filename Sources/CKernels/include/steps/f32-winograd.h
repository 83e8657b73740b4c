// A float32 3x3 convolution of stride 1 by Winograd's method (see ck-kernels.h): tiles of the image are transformed, at
// each of the (side + 2)^2 places of a tile the channels are multiplied with the transformed weights of that place, and
// what comes out is transformed back.
//
// Order of the sums: of each product at a place, one chain of fused multiply-adds over the input channels from zero; the
// transforms' as stated with their kernels, where the bias is added before the clamp.
#pragma once
#include "../ck-panels.h"
#include "../ck-step.h"
#include "../ck-window.h"

typedef struct {
  ck_window window;
  size_t outputs;  // channels of the result
  size_t side;     // of a tile's outputs: 2 or 4
  ck_tile tile;    // that the weights are packed for
  float lo, hi;
  size_t piece_bytes;  // what a thread's tiles may take, where the weights are few
  size_t place_bytes;  // from one place's panels to the next; the first are at the beginning of the constants
  size_t bias, zeros;  // where they lie in the constants: of each output; as many zeros as the panels or an input pixel take
} ck_f32_winograd;

// inputs: images; outputs: images.
void ck_run_f32_winograd(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_f32_winograd;
size_t ck_scratch_f32_winograd(const void *step, size_t batch, size_t threads);

// The transformed weights G w Gt, in double and rounded once: weights (outputs, 3, 3, inputs) to (places, outputs,
// inputs).
void ck_f32_winograd_transform(size_t side, size_t inputs, size_t outputs, const float *weights, float *out);
