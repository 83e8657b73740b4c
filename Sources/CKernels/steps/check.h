// What the checks of steps share (ck-step.h): arithmetic that does not wrap around, and what windows and constants
// hold.
#pragma once
#include "step.h"

#include "ck-geometry.h"
#include "ck-panels.h"
#include "ck-steps.h"

#define CK_OTHER_SIZES "its operands have other sizes than it computes with"
#define CK_BEYOND_CONSTANTS "it reads beyond its constants"
#define CK_OTHER_TILE "its weights are packed for other kernels"
#define CK_BAD_INDEX "its constants point beyond its operands"
#define CK_BAD_NUMBER "a number of its struct is out of range"
#define CK_SUMS_OVERFLOW "its sums may leave 32 bits"

// SIZE_MAX for what is more.
static inline size_t ck_times(size_t a, size_t b) {
  size_t product;
  return __builtin_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}
static inline size_t ck_plus(size_t a, size_t b) {
  size_t sum;
  return __builtin_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}
static inline size_t ck_times_3(size_t a, size_t b, size_t c) { return ck_times(ck_times(a, b), c); }
static inline size_t ck_times_4(size_t a, size_t b, size_t c, size_t d) { return ck_times(ck_times_3(a, b, c), d); }

// Whether one input and one output have so many bytes. No operand is empty.
static inline bool ck_maps(const ck_operands *of, size_t input, size_t output) {
  return of->inputs == 1 && of->outputs == 1 && of->input_bytes[0] == input && of->output_bytes[0] == output;
}

// Whether so many elements of so many bytes lie in the constants from an offset on, aligned to their size.
static inline bool ck_holds(const ck_operands *of, size_t offset, size_t count, size_t bytes) {
  return offset % bytes == 0 && ck_plus(offset, ck_times(count, bytes)) <= of->constant_bytes;
}
// The same of a table of 256, which is not there at offset 0.
static inline bool ck_holds_table(const ck_operands *of, size_t offset) {
  return offset == 0 || ck_holds(of, offset, 256, 1);
}
static inline const void *ck_constants_at(const ck_operands *of, size_t offset) {
  return (const char *)of->constants + offset;
}

// Not NaN, and products with 16 bits are finite.
static inline bool ck_is_moderate(float x) { return x > -0x1p110f && x < 0x1p110f; }
static inline bool ck_is_finite(float x) { return x - x == 0; }

// The greatest of positions, 0 where there are none.
static inline uint64_t ck_greatest(const uint64_t *positions, size_t count) {
  uint64_t greatest = 0;
  for (size_t i = 0; i < count; i++) greatest = positions[i] > greatest ? positions[i] : greatest;
  return greatest;
}

// No side is empty or longer than any plan's, so that coordinates are far from overflowing; images and kernels have at
// most CK_MOST_SIZE elements.
static inline bool ck_is_window(const ck_window *w) {
  const size_t sides[] = {w->height,   w->width,    w->channels,   w->kernel_h,   w->kernel_w,  w->stride_h,
                          w->stride_w, w->dilation_h, w->dilation_w, w->out_height, w->out_width};
  for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
    if (sides[i] < 1 || sides[i] > (size_t)1 << 25) return false;
  }
  return w->pad_top <= (size_t)1 << 25 && w->pad_left <= (size_t)1 << 25 &&
         ck_times_3(w->kernel_h, w->kernel_w, w->channels) <= CK_MOST_SIZE;
}
static inline bool ck_is_geometry(const ck_geometry *g) {
  return ck_is_window(&g->window) && g->groups > 0 && g->outputs > 0 && g->window.channels % g->groups == 0 &&
         g->outputs % g->groups == 0;
}
static inline size_t ck_image_bytes(const ck_window *w, size_t element) {
  return ck_times_4(w->height, w->width, w->channels, element);
}
static inline size_t ck_result_bytes(const ck_window *w, size_t outputs, size_t element) {
  return ck_times_4(w->out_height, w->out_width, outputs, element);
}

static inline bool ck_is_same_tile(ck_tile a, ck_tile b) {
  return a.rows == b.rows && a.columns == b.columns && a.lanes == b.lanes;
}
// A cut of any product comes out whole.
static inline bool ck_cuts(const ck_cut_limits *limits) {
  return limits->piece_bytes <= (size_t)1 << 30 && limits->most_rows > 0 && limits->least_work > 0;
}
// Whether the panels' bytes can be counted.
static inline bool ck_are_panels(ck_panels p) { return ck_times_3(ck_up(p.n, p.tile), ck_up(p.k, 4), 4) <= CK_MOST_SIZE; }
