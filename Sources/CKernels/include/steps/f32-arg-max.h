// The place of the greatest element along one axis, as a float: the first among equals, the first NaN above all.
#pragma once
#include "../ck-step.h"

typedef struct {
  size_t outer, extent, inner;  // of one sample: what lies before the axis, it, and what lies behind
} ck_f32_arg_max;

void ck_run_f32_arg_max(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_f32_arg_max;
