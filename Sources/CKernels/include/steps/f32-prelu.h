// x above zero, slope * x below, with a slope for each channel: the constants. In place or apart.
#pragma once
#include "../ck-step.h"

typedef struct {
  size_t rows, channels;  // of one sample
} ck_f32_prelu;

void ck_run_f32_prelu(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_f32_prelu;
