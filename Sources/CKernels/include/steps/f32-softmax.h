// Softmax of each row: exp(x - greatest) divided by their sum, in ascending order; or its logarithm,
// (x - greatest) - log(sum). In place or apart.
#pragma once
#include "../ck-step.h"

typedef struct {
  size_t rows, columns;  // of one sample
  bool is_logarithm;
} ck_f32_softmax_step;

void ck_run_f32_softmax(const void *step, const ck_kernels *kernels, const ck_call *call);
