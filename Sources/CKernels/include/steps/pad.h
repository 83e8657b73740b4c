// A value of any number of axes in the middle of a larger one, whose other elements are all the same.
#pragma once
#include "../ck-step.h"

typedef struct {
  size_t runs, run;            // what lies together in both: so many runs of so many elements
  size_t in_count, out_count;  // elements of one sample
  size_t element;              // bytes of one, 1 or 4
  uint32_t fill;               // an element's bits
  size_t table;  // of bytes: where in the constants a table of 256 begins that says what each becomes; 0: they stay
} ck_pad;

// The constants begin with a uint64_t for each run: the element of the result at which it begins.
void ck_run_pad(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_pad;
