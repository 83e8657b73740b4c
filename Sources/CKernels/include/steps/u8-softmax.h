// Softmax of each row of uint8 codes, coded. In place or apart.
//
// q = min(max(roundHalfEven(float(power) * (1 / (float(sum of the row's powers) * scale))) + zero_point, 0), limit),
// where a code's power is what the table holds of the greatest code less this one, roundHalfEven(2^22 *
// exp(-difference * scale of the input)), and their sum is exact.
#pragma once
#include "../ck-step.h"

// The constants are the table, 256 numbers of 32 bits.
typedef struct {
  size_t rows, columns;  // of one sample
  uint8_t zero_point, limit;
  float scale;  // of the result
} ck_u8_softmax;

void ck_run_u8_softmax(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_u8_softmax;
