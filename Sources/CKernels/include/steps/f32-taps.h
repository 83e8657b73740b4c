// A depthwise float32 convolution: vectors run along the channels. The sums are in the same order as those of
// f32-patches.h.
#pragma once
#include "../ck-step.h"
#include "../ck-window.h"

typedef struct {
  ck_window window;
  float lo, hi;
  size_t bias;  // where it is in the constants, in bytes; the weights (tap, channel) are at their beginning
} ck_f32_taps;

// inputs: images; outputs: images.
void ck_run_f32_taps(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_f32_taps;
size_t ck_scratch_f32_taps(const void *step, size_t batch, size_t threads);
