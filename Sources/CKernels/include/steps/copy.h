// The same bytes at another place.
#pragma once
#include "../ck-step.h"

typedef struct {
  size_t bytes;  // of one sample
} ck_copy;

void ck_run_copy(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_copy;
// No inputs: every sample is what the constants hold.
void ck_run_constant(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_constant;
