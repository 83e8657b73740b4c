// A window that slides over NHWC images, for convolution and pooling alike.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  size_t height, width, channels;  // of one input image
  size_t kernel_h, kernel_w;
  size_t stride_h, stride_w;
  size_t dilation_h, dilation_w;
  size_t pad_top, pad_left;
  size_t out_height, out_width;
} ck_window;

// Rows row0..row0+rows of the patch matrix: row (image, y, x), columns (kh, kw, channel) with the
// channels channel0..channel0+channels of the input. out is (rows, ld); what lies outside is pad.
void ck_f32_im2col(const ck_window *window, const float *images, size_t channel0, size_t channels,
                   size_t row0, size_t rows, float pad, float *out, size_t ld);
void ck_u8_im2col(const ck_window *window, const uint8_t *images, size_t channel0, size_t channels,
                  size_t row0, size_t rows, uint8_t pad, uint8_t *out, size_t ld);

// The adjoint: adds every patch element to the pixel it came from, in ascending (row, column) order.
void ck_f32_col2im_add(const ck_window *window, const float *patches, size_t ld, size_t channel0,
                       size_t channels, size_t row0, size_t rows, float *images);

// The pixels under the window at output (y, x): kernel_h*kernel_w pointers to pixels of `element` bytes a channel.
// Outside the image the tap is `pad`. Returns how many outputs from here on, at most `most`, have windows that lie
// alike, so that each tap advances by stride_w pixels from one to the next; `pad` is read as far, and so is a row of
// `width` pixels.
size_t ck_window_run(const ck_window *window, const void *image, size_t element, size_t y, size_t x, size_t most,
                     const void *pad, const void **taps);

// The pixels under the windows at outputs (y, x0..x0+count): taps is (count, kernel_h*kernel_w).
void ck_window_taps(const ck_window *window, const void *image, size_t element, size_t y, size_t x0,
                    size_t count, const void *pad, const void **taps);

// The same without the taps outside the image: those of each output move up, and counts tells how many.
void ck_window_inside(const ck_window *window, const void *image, size_t element, size_t y, size_t x0,
                      size_t count, const void **taps, uint32_t *counts);

// The gradient of average pooling for one image, added to `image`: each output's is shared out among the pixels of its
// window, or among all its positions where padding counts.
void ck_f32_average_spread(const ck_window *window, bool counts_padding, const float *g, float *image);
