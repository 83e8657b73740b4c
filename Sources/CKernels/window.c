#include "kernel.h"

#include "ck-window.h"

#include <stdbool.h>

#define T float
#define NAME(x) ck_f32_##x
#include "im2col.inc.h"
#undef T
#undef NAME

#define T uint8_t
#define NAME(x) ck_u8_##x
#include "im2col.inc.h"
#undef T
#undef NAME

void ck_f32_col2im_add(const ck_window *w, const float *patches, size_t ld, size_t channel0, size_t channels,
                       size_t row0, size_t rows, float *images) {
  const size_t image_size = w->height * w->width * w->channels;
  const bool joined = w->dilation_w == 1 && channels == w->channels;
  for (size_t r = row0; r < row0 + rows; r++, patches += ld) {
    float *image = images + r / w->out_width / w->out_height * image_size + channel0;
    const ptrdiff_t y = (ptrdiff_t)(r / w->out_width % w->out_height * w->stride_h) - (ptrdiff_t)w->pad_top;
    const ptrdiff_t x = (ptrdiff_t)(r % w->out_width * w->stride_w) - (ptrdiff_t)w->pad_left;
    const float *patch = patches;
    for (size_t ky = 0; ky < w->kernel_h; ky++) {
      const ptrdiff_t row = y + (ptrdiff_t)(ky * w->dilation_h);
      if (row < 0 || row >= (ptrdiff_t)w->height) {
        patch += w->kernel_w * channels;
        continue;
      }
      if (joined && x >= 0 && x + (ptrdiff_t)w->kernel_w <= (ptrdiff_t)w->width) {
        const size_t run = w->kernel_w * channels;
        float *to = image + ((size_t)row * w->width + (size_t)x) * w->channels;
        for (size_t i = 0; i < run; i++) to[i] += patch[i];
        patch += run;
        continue;
      }
      for (size_t kx = 0; kx < w->kernel_w; kx++, patch += channels) {
        const ptrdiff_t column = x + (ptrdiff_t)(kx * w->dilation_w);
        if (column < 0 || column >= (ptrdiff_t)w->width) continue;
        float *to = image + ((size_t)row * w->width + (size_t)column) * w->channels;
        for (size_t c = 0; c < channels; c++) to[c] += patch[c];
      }
    }
  }
}

// Kernel positions first..<end lie inside an extent when the first lies at `start`.
typedef struct {
  size_t first, end;
} ck_span;

static inline ck_span inside(ptrdiff_t start, size_t kernel, size_t dilation, size_t extent) {
  const ptrdiff_t step = (ptrdiff_t)dilation;
  ck_span span = {0, kernel};
  if (start < 0) span.first = (size_t)((-start + step - 1) / step);
  const ptrdiff_t last = start + (ptrdiff_t)(kernel - 1) * step;
  if (last >= (ptrdiff_t)extent) {
    const ptrdiff_t beyond = (last - (ptrdiff_t)extent) / step + 1;
    span.end = beyond < (ptrdiff_t)kernel ? kernel - (size_t)beyond : 0;
  }
  if (span.first > span.end) span.first = span.end;
  return span;
}

static inline ptrdiff_t top_of(const ck_window *w, size_t y) {
  return (ptrdiff_t)(y * w->stride_h) - (ptrdiff_t)w->pad_top;
}

static inline ptrdiff_t left_of(const ck_window *w, size_t x) {
  return (ptrdiff_t)(x * w->stride_w) - (ptrdiff_t)w->pad_left;
}

// Where kernel position (ky, kx) of a window at (top, left) is, that being inside.
static inline const void *pixel_at(const ck_window *w, const void *image, size_t pixel, ptrdiff_t top, ptrdiff_t left,
                                   size_t ky, size_t kx) {
  const ptrdiff_t row = top + (ptrdiff_t)(ky * w->dilation_h), column = left + (ptrdiff_t)(kx * w->dilation_w);
  return (const char *)image + (row * (ptrdiff_t)w->width + column) * (ptrdiff_t)pixel;
}

size_t ck_window_run(const ck_window *w, const void *image, size_t element, size_t y, size_t x, size_t most,
                     const void *pad, const void **taps) {
  const size_t pixel = w->channels * element;
  const ptrdiff_t top = top_of(w, y), left = left_of(w, x);
  const ck_span rows = inside(top, w->kernel_h, w->dilation_h, w->height);
  const ck_span columns = inside(left, w->kernel_w, w->dilation_w, w->width);
  size_t count = 1;
  if (left >= 0 && columns.end == w->kernel_w) {
    const size_t last = (size_t)left + (w->kernel_w - 1) * w->dilation_w;
    count = (w->width - 1 - last) / w->stride_w + 1;
    if (count > w->out_width - x) count = w->out_width - x;
    if (count > most) count = most;
  }
  for (size_t ky = 0; ky < w->kernel_h; ky++) {
    const bool in = ky >= rows.first && ky < rows.end;
    for (size_t kx = 0; kx < w->kernel_w; kx++) {
      *taps++ = in && kx >= columns.first && kx < columns.end ? pixel_at(w, image, pixel, top, left, ky, kx) : pad;
    }
  }
  return count;
}

void ck_window_taps(const ck_window *w, const void *image, size_t element, size_t y, size_t x0, size_t count,
                    const void *pad, const void **taps) {
  for (size_t x = x0; x < x0 + count; x++, taps += w->kernel_h * w->kernel_w) {
    ck_window_run(w, image, element, y, x, 1, pad, taps);
  }
}

void ck_window_inside(const ck_window *w, const void *image, size_t element, size_t y, size_t x0, size_t count,
                      const void **taps, uint32_t *counts) {
  const size_t pixel = w->channels * element;
  const ptrdiff_t top = top_of(w, y);
  const ck_span rows = inside(top, w->kernel_h, w->dilation_h, w->height);
  for (size_t x = x0; x < x0 + count; x++, taps += w->kernel_h * w->kernel_w) {
    const ptrdiff_t left = left_of(w, x);
    const ck_span columns = inside(left, w->kernel_w, w->dilation_w, w->width);
    const void **next = taps;
    for (size_t ky = rows.first; ky < rows.end; ky++) {
      for (size_t kx = columns.first; kx < columns.end; kx++) *next++ = pixel_at(w, image, pixel, top, left, ky, kx);
    }
    *counts++ = (uint32_t)(next - taps);
  }
}

void ck_f32_average_spread(const ck_window *w, bool counts_padding, const float *g, float *image) {
  for (size_t y = 0; y < w->out_height; y++) {
    const ptrdiff_t top = top_of(w, y);
    const ck_span rows = inside(top, w->kernel_h, w->dilation_h, w->height);
    for (size_t x = 0; x < w->out_width; x++, g += w->channels) {
      const ptrdiff_t left = left_of(w, x);
      const ck_span columns = inside(left, w->kernel_w, w->dilation_w, w->width);
      const size_t within = (rows.end - rows.first) * (columns.end - columns.first);
      const float count = (float)(counts_padding ? w->kernel_h * w->kernel_w : within);
      for (size_t ky = rows.first; ky < rows.end; ky++) {
        for (size_t kx = columns.first; kx < columns.end; kx++) {
          const ptrdiff_t row = top + (ptrdiff_t)(ky * w->dilation_h), column = left + (ptrdiff_t)(kx * w->dilation_w);
          float *to = image + (row * (ptrdiff_t)w->width + column) * (ptrdiff_t)w->channels;
          for (size_t c = 0; c < w->channels; c++) to[c] += g[c] / count;
        }
      }
    }
  }
}
