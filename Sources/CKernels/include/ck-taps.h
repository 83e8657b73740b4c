// Walks over the output rows of a depthwise convolution with pointers to the pixels under each window.
#pragma once
#include "ck-threads.h"
#include "ck-window.h"

// Some neighbouring outputs of one row whose windows lie alike.
typedef struct {
  size_t image;
  size_t output_pixel;  // the first one, counted over the batch
  size_t pixels;
  const void **taps;    // as many pointers as the kernel has positions, those of the first output
  size_t step;          // elements from one output's taps to the next
  size_t worker;
} ck_tap_run;
typedef void ck_tap_body(void *context, const ck_tap_run *run);

// `element` is the number of bytes of one channel of one pixel.
size_t ck_tap_scratch(const ck_window *window, size_t element, size_t threads);

// Calls body for every run of at most `most` outputs, over output rows that the workers share out. Outside image i the
// taps point to pixels whose bytes are all pads[i * pad_step].
void ck_each_tap_run(const ck_window *window, const void *input, size_t element, size_t batch, size_t most,
                     const uint8_t *pads, size_t pad_step, void *scratch, const ck_workers *workers, ck_tap_body *body,
                     void *context);
