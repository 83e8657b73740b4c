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

// Calls visit for each kernel position of output (y, x): the pixel, or NULL outside.
#define FOR_EACH_TAP(w, image, element, oy, ox, pixel, body)                                              \
  for (size_t ky = 0; ky < (w)->kernel_h; ky++) {                                                         \
    const ptrdiff_t row = (ptrdiff_t)((oy) * (w)->stride_h + ky * (w)->dilation_h) - (ptrdiff_t)(w)->pad_top; \
    for (size_t kx = 0; kx < (w)->kernel_w; kx++) {                                                       \
      const ptrdiff_t column =                                                                            \
          (ptrdiff_t)((ox) * (w)->stride_w + kx * (w)->dilation_w) - (ptrdiff_t)(w)->pad_left;            \
      const bool in = row >= 0 && row < (ptrdiff_t)(w)->height && column >= 0 && column < (ptrdiff_t)(w)->width; \
      const void *pixel =                                                                                 \
          in ? (const char *)(image) + ((size_t)row * (w)->width + (size_t)column) * (w)->channels * (element) \
             : NULL;                                                                                      \
      body                                                                                                \
    }                                                                                                     \
  }

void ck_window_taps(const ck_window *w, const void *image, size_t element, size_t y, size_t x0, size_t count,
                    const void *pad, const void **taps) {
  for (size_t x = x0; x < x0 + count; x++) {
    FOR_EACH_TAP(w, image, element, y, x, pixel, { *taps++ = pixel ? pixel : pad; })
  }
}

void ck_window_inside(const ck_window *w, const void *image, size_t element, size_t y, size_t x0, size_t count,
                      const void **taps, uint32_t *counts) {
  for (size_t x = x0; x < x0 + count; x++, taps += w->kernel_h * w->kernel_w) {
    uint32_t inside = 0;
    FOR_EACH_TAP(w, image, element, y, x, pixel, { if (pixel) taps[inside++] = pixel; })
    *counts++ = inside;
  }
}
