// Maximum and average pooling over NHWC images. Pixels outside the image take no part, but for an average that counts
// them: then zeros lie there.
#pragma once
#include "../ck-step.h"
#include "../ck-window.h"

typedef struct {
  ck_window window;
  bool is_average;
  bool counts_padding;  // of averages
  bool gives_winners;   // of maxima
} ck_f32_pooling;

// inputs: images; outputs: images, and, for the gradient, where each maximum was: the int32 offset in elements from the
// beginning of its own image. Of equal values the first wins. The average is the sum in order of rows and columns,
// divided once.
void ck_run_f32_pooling(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_f32_pooling;
size_t ck_scratch_f32_pooling(const void *step, size_t batch, size_t threads);

typedef struct {
  ck_window window;
  bool is_average;
  bool counts_padding;
  bool has_table;  // of maxima: the constants are 256 bytes that say what each becomes
  // The average is q = min(max(roundHalfEven(float(sum of x - zero) * scale / float(count)) + zero_point, 0), limit),
  // each operation rounded by itself.
  uint8_t zero, zero_point, limit;
  float scale;
} ck_u8_pooling;

void ck_run_u8_pooling(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_u8_pooling;
size_t ck_scratch_u8_pooling(const void *step, size_t batch, size_t threads);
