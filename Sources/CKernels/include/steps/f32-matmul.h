// The product of two values: (…, m, k) times (…, k, n) or, transposed, (…, n, k).
//
// Each result is one chain of fused multiply-adds from zero in ascending order of k.
#pragma once
#include "../ck-step.h"

typedef struct {
  size_t m, n, k;
  size_t matrices;                // of one sample
  size_t a_matrix, b_matrix;      // elements from one to the next: 0 where one is for all
  size_t a_count, b_count;        // elements of one sample
  bool transposes_b;
} ck_f32_matmul;

void ck_run_f32_matmul(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_f32_matmul;
size_t ck_scratch_f32_matmul(const void *step, size_t batch, size_t threads);
