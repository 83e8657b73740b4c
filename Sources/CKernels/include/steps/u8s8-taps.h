// A depthwise convolution of uint8 activations with int8 weights: vectors run along the channels.
#pragma once
#include "../ck-integer-output.h"
#include "../ck-step.h"
#include "../ck-window.h"

typedef struct {
  ck_window window;
  ck_integer_output output;
} ck_u8s8_taps;

// inputs: images, and their quantizations where each has one of its own; outputs: images of uint8 or float32. The
// weights at the beginning of the constants are one panel of (tap, channel), as ck_s8_pack makes it.
void ck_run_u8s8_taps(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_u8s8_taps;
// The same, whoever the quantizations of the images come from.
const char *ck_check_tap_weights(const ck_u8s8_taps *step, const ck_operands *of);
size_t ck_scratch_u8s8_taps(const void *step, size_t batch, size_t threads);
