// An integer convolution or dense layer of float values: each image is quantized over its own range first.
#pragma once
#include "u8s8-patches.h"
#include "u8s8-taps.h"

typedef struct {
  size_t count;  // elements of one image
  bool is_depthwise;
  ck_u8s8_patches patches;  // one of the two, with an output that is per image
  ck_u8s8_taps taps;
} ck_dynamic_convolution;

// inputs: float images; outputs: float images.
void ck_run_dynamic_convolution(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_dynamic_convolution;
size_t ck_scratch_dynamic_convolution(const void *step, size_t batch, size_t threads);
