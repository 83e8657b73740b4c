// Mean, sum, maximum or minimum of the elements that some axes span.
//
// A sum adds up from zero in ascending order of the elements; a mean is the sum divided once by their number. NaN wins over
// everything in a maximum and a minimum.
#pragma once
#include "../ck-step.h"

typedef enum { ck_reduce_mean, ck_reduce_sum, ck_reduce_max, ck_reduce_min } ck_reduction;

// The constants are the positions, uint64_t in elements, of each result's first element, then those of a result's elements
// after the first.
typedef struct {
  ck_reduction reduction;
  size_t results, elements;  // of one sample; elements of one result
  size_t in_count;           // elements of one sample
} ck_f32_reduce;

void ck_run_f32_reduce(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_f32_reduce;
