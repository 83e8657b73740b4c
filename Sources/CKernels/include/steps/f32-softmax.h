// Softmax of each row: exp(x - greatest) divided by their sum, in ascending order; or its logarithm,
// (x - greatest) - log(sum). In place or apart. exp is that of smooth-terms.h.
#pragma once
#include "../ck-step.h"

typedef struct {
  size_t rows, columns;  // of one sample
  bool is_logarithm;
} ck_f32_softmax_step;

// Of each of some rows of n >= 1 numbers.
void ck_softmax_rows(const ck_kernels *kernels, size_t rows, size_t n, const float *a, float *out);
void ck_log_softmax_rows(const ck_kernels *kernels, size_t rows, size_t n, const float *a, float *out);

void ck_run_f32_softmax(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_f32_softmax;
