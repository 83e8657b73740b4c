// From one way of holding numbers to another, element by element.
#pragma once
#include "../ck-quantization.h"
#include "../ck-step.h"

// float32 to uint8: q = min(max(roundHalfEven(x * (1 / scale)) + zero_point, 0), limit); NaN becomes 0. And back:
// (q - zero_point) * scale.
typedef struct {
  size_t count;  // elements of one sample
  ck_quantization quantization;
} ck_conversion;
void ck_run_quantize(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_quantize;
void ck_run_dequantize(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_dequantize;

// Any function of uint8 values; the constants are its table of 256. In place or apart.
typedef struct {
  size_t count;
} ck_lookup;
void ck_run_lookup(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_lookup;

// What stays of a float32 that is held in so many steps, see ck_f32_round_affine. In place or apart.
typedef struct {
  size_t count;
  float scale, zero_point, limit;
} ck_affine_rounding;
void ck_run_round_affine(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_round_affine;

// The nearest of some levels; the constants are 255 middles between them and then the levels, see ck_f32_round_levels.
// In place or apart.
typedef struct {
  size_t count;
} ck_level_rounding;
void ck_run_round_levels(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_round_levels;
