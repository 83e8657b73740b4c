// Elements of the input in another order, some of them several times or not at all: transposing, slicing, repeating,
// gathering.
#pragma once
#include "../ck-step.h"

// The constants begin with `outer` positions, uint64_t in bytes, from which a piece of the result is read. A piece is `run`
// bytes that lie together or, where run is 0, `inner` elements, whose positions after the first follow the outer ones.
typedef struct {
  size_t element;  // bytes: 1 or 4
  size_t outer, inner, run;
  size_t in_bytes, out_bytes;  // of one sample
  size_t table;  // of bytes: where in the constants a table of 256 begins that says what each becomes; 0: they stay
} ck_rearrange;

void ck_run_rearrange(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_rearrange;
