// Scaled dot-product attention: of queries (t, heads * d), keys (s, heads * d), values (s, heads * e) → (t, heads * e).
//
// Of each head: products of queries and keys, each one chain of fused multiply-adds from zero in ascending order of d, then
// times the scale; softmax of each row (f32-softmax.h); products with the values, in ascending order of s.
#pragma once
#include "../ck-step.h"

typedef struct {
  size_t heads, queries, keys;  // t and s
  size_t depth, width;          // d and e
  float scale;
  bool gives_weights;  // a second output receives what the softmax gave, (heads, t, s) for each sample
} ck_f32_attention;

void ck_run_f32_attention(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_f32_attention;
size_t ck_scratch_f32_attention(const void *step, size_t batch, size_t threads);
