// A float32 function of each element. The result may take the place of the input.
//
// To add one: its name here, its line in f32-elements.c, and its case in Kernels/Elementwise.swift.
#pragma once
#include "../ck-step.h"

typedef enum {
  ck_element_clamp,       // to lo...hi
  ck_element_sigmoid,     // 1 / (1 + exp(-x))
  ck_element_hard_swish,  // x * clamp(x + 3, 0, 6) / 6, each operation rounded by itself
} ck_element_function;

typedef struct {
  size_t count;  // elements of one sample
  ck_element_function function;
  float lo, hi;
} ck_f32_elements;

void ck_run_f32_elements(const void *step, const ck_kernels *kernels, const ck_call *call);
