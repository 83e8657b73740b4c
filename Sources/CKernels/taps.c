#include "steps/step.h"

#include "ck-geometry.h"
#include "ck-taps.h"

static size_t tap_bytes(const ck_window *w) { return ck_aligned(ck_taps(w) * sizeof(void *)); }
static size_t pad_bytes(const ck_window *w, size_t element) { return ck_aligned(w->width * w->channels * element); }

size_t ck_tap_scratch(const ck_window *window, size_t element, size_t threads) {
  return ck_padded(threads * (tap_bytes(window) + pad_bytes(window, element)));
}

typedef struct {
  const ck_window *window;
  const char *input;
  size_t element, most;
  const uint8_t *pads;
  size_t pad_step;
  char *pad_rows, *taps;
  ck_tap_body *body;
  void *context;
} job;

// How many pixels of padding the windows of an output row may read: a whole row where a row of taps lies outside.
static size_t pad_pixels(const ck_window *w, size_t y) {
  const ptrdiff_t top = (ptrdiff_t)(y * w->stride_h) - (ptrdiff_t)w->pad_top;
  const ptrdiff_t bottom = top + (ptrdiff_t)((w->kernel_h - 1) * w->dilation_h);
  return top < 0 || bottom >= (ptrdiff_t)w->height ? w->width : 1;
}

static void row(void *context, size_t index, size_t worker) {
  const job *j = context;
  const ck_window *w = j->window;
  const size_t image = index / w->out_height, y = index % w->out_height, pixel = w->channels * j->element;
  char *pad = j->pad_rows + worker * pad_bytes(w, j->element);
  const void **taps = (const void **)(void *)(j->taps + worker * tap_bytes(w));
  __builtin_memset(pad, j->pads[image * j->pad_step], pad_pixels(w, y) * pixel);
  const char *input = j->input + image * w->height * w->width * pixel;
  for (size_t x = 0, pixels; x < w->out_width; x += pixels) {
    pixels = ck_window_run(w, input, j->element, y, x, j->most, pad, taps);
    const ck_tap_run run = {image, index * w->out_width + x, pixels, taps, w->stride_w * w->channels, worker};
    j->body(j->context, &run);
  }
}

void ck_each_tap_run(const ck_window *window, const void *input, size_t element, size_t batch, size_t most,
                     const uint8_t *pads, size_t pad_step, void *scratch, const ck_workers *workers, ck_tap_body *body,
                     void *context) {
  char *next = ck_scratch_start(scratch);
  job j = {window, input, element, most, pads, pad_step, NULL, NULL, body, context};
  j.pad_rows = ck_take(&next, workers->threads * pad_bytes(window, element));
  j.taps = next;
  const size_t work = batch * ck_out_pixels(window) * window->channels * ck_taps(window);
  ck_share(workers, work, batch * window->out_height, row, &j);
}
