// Normalization of each sample by its own statistics: those of each row of the last axis, or of all positions and the
// channels of one group.
//
// Sums are formed in double, in ascending order of the elements, and rounded to float32 once: mean = sum / n, then
// the mean of (x - mean)^2. Then y = ((x - mean) * inverse) * gamma + beta, each operation rounded by itself, where
// inverse = 1 / sqrt(mean square + epsilon), or 1 / max(sqrt(sum of squares), epsilon) for the length.
#pragma once
#include "../ck-step.h"

typedef enum { ck_norm_variance, ck_norm_mean_square, ck_norm_length } ck_norm_statistic;

// The constants are gamma and beta, `channels` numbers each; where there are none, ones and zeros.
typedef struct {
  ck_norm_statistic statistic;
  float epsilon;
  size_t positions, channels;  // of one sample
  size_t groups;               // 0: each position by itself
} ck_f32_norm;

void ck_run_f32_norm(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_f32_norm;
// Mean and inverse of one set of elements: `rows` rows of `n` each, `stride` apart.
void ck_f32_norm_statistics(const ck_f32_norm *step, const float *a, size_t rows, size_t n, size_t stride, float *mean,
                            float *inverse);
