// The product of two values held as uint8: (…, m, k) times (…, k, n) or, transposed, (…, n, k).
//
// q = min(max(roundHalfEven(float(sum over k of (a - zero_a) * (b - zero_b)) * scale) + zero_point, 0), limit), where
// the sum is exact in 32 bits and scale that of a times that of b over that of the result.
#pragma once
#include "../ck-step.h"

typedef struct {
  size_t m, n, k;
  size_t matrices;            // of one sample
  size_t a_matrix, b_matrix;  // elements from one to the next: 0 where one is for all
  size_t a_count, b_count;    // elements of one sample
  bool transposes_b;
  uint8_t zero_a, zero_b, zero_point, limit;
  float scale;
} ck_u8_matmul;

void ck_run_u8_matmul(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_u8_matmul;
size_t ck_scratch_u8_matmul(const void *step, size_t batch, size_t threads);
