// Inputs one after the other in each row.
#pragma once
#include "../ck-step.h"

// Of one input; the constants begin with these.
typedef struct {
  uint64_t bytes;  // of a row
  uint64_t table;  // where in the constants a table of 256 begins that says what each byte becomes; 0: the bytes stay
} ck_concat_part;

typedef struct {
  size_t parts;
  size_t rows;       // of one sample
  size_t row_bytes;  // of the result
} ck_concat;

void ck_run_concat(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_concat;
