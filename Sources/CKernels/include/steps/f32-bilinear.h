// An image in another size: each pixel is between two rows and two columns of the input.
//
// y = top + (bottom - top) * row_share, where top = left + (right - left) * column_share of the upper row and bottom alike
// of the lower, each operation rounded by itself.
#pragma once
#include "../ck-step.h"

// Of one row or column of the result; the constants are those of all rows, then those of all columns.
typedef struct {
  uint32_t first, second;
  float share;  // of the second
} ck_tap;

typedef struct {
  size_t in_height, in_width, out_height, out_width, channels;
} ck_f32_bilinear;

void ck_run_f32_bilinear(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_f32_bilinear;
