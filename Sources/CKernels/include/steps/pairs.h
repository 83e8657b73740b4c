// Functions of two values element by element, their shapes broadcast as NumPy does, then a clamp.
//
// To add one: its name in ck-kernels.h, its line in scalar/pairs-scalar.c and vector/pairs.inc.h.
#pragma once
#include "../ck-step.h"

#define CK_MOST_AXES 8

typedef struct {
  ck_pair_function function;
  // The result's axes, outermost first, and how many elements lie between neighbours of each operand: 0 where it is
  // repeated. The last axis is the inside of a row, where that is 0 or 1, the one before counts rows.
  size_t axes, extents[CK_MOST_AXES], steps_a[CK_MOST_AXES], steps_b[CK_MOST_AXES];
  size_t count, count_a, count_b;  // elements of one sample
  // Whether elements lie alike in both operands: then the result may take the place of either.
  bool is_flat;
} ck_pairs;

typedef struct {
  ck_pairs pairs;
  float lo, hi;
} ck_f32_pairs;

typedef struct {
  ck_pairs pairs;
  ck_u8_pair_parameters parameters;
} ck_u8_pairs;

void ck_run_f32_pairs(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_f32_pairs;
void ck_run_u8_pairs(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_u8_pairs;
