// A float32 function of each element. The result may take the place of the input.
//
// To add one: its name here, its line in f32-elements.c, and its case in Kernels/Elementwise.swift.
#pragma once
#include "../ck-step.h"

typedef enum {
  ck_element_clamp,       // to lo...hi
  ck_element_sigmoid,     // this, tanh, erf, exp, silu and gelu: see smooth-terms.h
  ck_element_hard_swish,  // x * clamp(x + 3, 0, 6) / 6, each operation rounded by itself
  ck_element_tanh,
  ck_element_erf,
  ck_element_exp,
  ck_element_log,
  ck_element_sqrt,
  ck_element_reciprocal,    // 1 / x
  ck_element_negative,      // -x
  ck_element_absolute,      // |x|
  ck_element_silu,
  ck_element_gelu,
  ck_element_gelu_tanh,
  ck_element_softplus,      // max(x, 0) + log1p(exp(-|x|))
  ck_element_mish,          // x * tanh(softplus(x))
  ck_element_sin,
  ck_element_cos,
  ck_element_floor,
  ck_element_ceil,
  ck_element_round,         // of two integers as near the even one
  ck_element_sign,          // -1, 0 or 1; NaN of NaN
  ck_element_leaky_relu,    // x < 0 ? lo * x : x
  ck_element_elu,           // x < 0 ? lo * expm1(x) : x
  ck_element_hard_sigmoid,  // clamp(lo * x + hi, 0, 1)
} ck_element_function;

typedef struct {
  size_t count;  // elements of one sample
  ck_element_function function;
  float lo, hi;  // the function's numbers
} ck_f32_elements;

void ck_run_f32_elements(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_f32_elements;
