// The shapes of a convolution: images NHWC, weights OHWI.
#pragma once
#include <stdbool.h>

#include "ck-window.h"

typedef struct {
  ck_window window;
  size_t outputs, groups;  // channels of the result, in all groups
} ck_geometry;

static inline size_t ck_taps(const ck_window *w) { return w->kernel_h * w->kernel_w; }
static inline size_t ck_out_pixels(const ck_window *w) { return w->out_height * w->out_width; }
// Every output sees just the pixel at its own place.
static inline bool ck_is_pointwise(const ck_window *w) {
  return ck_taps(w) == 1 && w->stride_h == 1 && w->stride_w == 1 && w->pad_top == 0 && w->pad_left == 0 &&
         w->out_height == w->height && w->out_width == w->width;
}
// Of one group.
static inline size_t ck_channels_per_group(const ck_geometry *g) { return g->window.channels / g->groups; }
static inline size_t ck_outputs_per_group(const ck_geometry *g) { return g->outputs / g->groups; }
// Multiplications behind one output: the K of the matrix product.
static inline size_t ck_depth(const ck_geometry *g) { return ck_taps(&g->window) * ck_channels_per_group(g); }
