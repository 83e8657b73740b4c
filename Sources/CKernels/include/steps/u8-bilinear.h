// An image of uint8 codes in another size: each pixel is between two rows and two columns of the input.
//
// q = min(max(roundHalfEven(float(sum of (code - zero) * row weight * column weight over the four pixels) * scale) +
// zero_point, 0), limit). Weights count 2048ths, those of the second row and column being roundHalfEven(2048 * share),
// those of the first what is left, so that sums are exact in 32 bits; scale is the input's over the result's over 2^22.
#pragma once
#include "../ck-step.h"

// Of one row or column of the result; the constants are those of all rows, then those of all columns.
typedef struct {
  uint32_t first, second;
  int32_t weight;  // of the second
} ck_integer_tap;

enum { CK_TAP_ONE = 2048 };

typedef struct {
  size_t in_height, in_width, out_height, out_width, channels;
  uint8_t zero, zero_point, limit;
  float scale;
} ck_u8_bilinear;

void ck_run_u8_bilinear(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_u8_bilinear;
