#include "check.h"

#include "ck-geometry.h"
#include "ck-layout.h"
#include "steps/pooling.h"

// Outputs at a time: their pointers stay in the first cache level.
static size_t run_length(const ck_window *w) { return ck_min(w->out_width, ck_max(1, 512 / ck_taps(w))); }

static size_t tap_bytes(const ck_window *w) { return ck_aligned(run_length(w) * ck_taps(w) * sizeof(void *)); }
static size_t count_bytes(const ck_window *w) { return ck_aligned(run_length(w) * sizeof(uint32_t)); }
static size_t pad_bytes(const ck_window *w, size_t element) { return ck_aligned(w->channels * element); }

static size_t scratch_bytes(const ck_window *w, size_t element, size_t threads) {
  return ck_padded(pad_bytes(w, element) + threads * (tap_bytes(w) + count_bytes(w)));
}

// Neighbouring outputs of one row with the pixels under their windows.
typedef struct {
  size_t image, output, pixels;  // `output` is the offset of the first, in elements
  const void **taps;
  uint32_t *counts;
} run;

typedef struct job job;
struct job {
  const void *step;
  const ck_kernels *kernels;
  const ck_call *call;
  const ck_window *window;
  size_t element;
  const void *pad;  // a pixel of padding that counts, or NULL
  char *taps, *counts;
  void (*pool)(const job *j, const run *run);
};

static void row(void *context, size_t index, size_t worker) {
  const job *j = context;
  const ck_window *w = j->window;
  const size_t image = index / w->out_height, y = index % w->out_height, all = ck_taps(w), length = run_length(w);
  run r = {.image = image, .taps = (const void **)(void *)(j->taps + worker * tap_bytes(w)),
           .counts = (uint32_t *)(void *)(j->counts + worker * count_bytes(w))};
  const char *source = (const char *)j->call->inputs[0] + image * w->height * w->width * w->channels * j->element;
  for (size_t x = 0; x < w->out_width; x += r.pixels) {
    r.pixels = ck_min(length, w->out_width - x);
    r.output = (index * w->out_width + x) * w->channels;
    if (j->pad) {
      ck_window_taps(w, source, j->element, y, x, r.pixels, j->pad, r.taps);
      for (size_t i = 0; i < r.pixels; i++) r.counts[i] = (uint32_t)all;
    } else {
      ck_window_inside(w, source, j->element, y, x, r.pixels, r.taps, r.counts);
    }
    j->pool(j, &r);
  }
}

static void each_row(job *j, uint8_t padding, bool counts_padding) {
  const ck_window *w = j->window;
  char *next = ck_scratch_start(j->call->scratch);
  char *pad = ck_take(&next, pad_bytes(w, j->element));
  if (counts_padding) {
    __builtin_memset(pad, padding, w->channels * j->element);
    j->pad = pad;
  }
  j->taps = ck_take(&next, j->call->workers->threads * tap_bytes(w));
  j->counts = next;
  const size_t work = j->call->batch * ck_out_pixels(w) * w->channels * ck_taps(w);
  ck_share(j->call->workers, work, j->call->batch * w->out_height, row, j);
}

static void f32_maximum(const job *j, const run *r) {
  const ck_window *w = j->window;
  const float *origin = (const float *)j->call->inputs[0] + r->image * w->height * w->width * w->channels;
  const ck_f32_pooling *s = j->step;
  int32_t *winners = s->gives_winners ? (int32_t *)j->call->outputs[1] + r->output : NULL;
  j->kernels->f32_max_pool(r->pixels, w->channels, ck_taps(w), r->taps, r->counts, origin,
                           (float *)j->call->outputs[0] + r->output, winners);
}

static void f32_average(const job *j, const run *r) {
  j->kernels->f32_average_pool(r->pixels, j->window->channels, ck_taps(j->window), r->taps, r->counts,
                               (float *)j->call->outputs[0] + r->output);
}

size_t ck_scratch_f32_pooling(const void *step, size_t batch, size_t threads) {
  (void)batch;
  return scratch_bytes(&((const ck_f32_pooling *)step)->window, sizeof(float), threads);
}

void ck_run_f32_pooling(const void *step, const ck_kernels *kernels, const ck_call *call) {
  const ck_f32_pooling *s = step;
  job j = {.step = s, .kernels = kernels, .call = call, .window = &s->window, .element = sizeof(float),
           .pool = s->is_average ? f32_average : f32_maximum};
  each_row(&j, 0, s->is_average && s->counts_padding);
}

static void u8_maximum(const job *j, const run *r) {
  const ck_u8_pooling *s = j->step;
  const size_t channels = s->window.channels;
  uint8_t *out = (uint8_t *)j->call->outputs[0] + r->output;
  j->kernels->u8_max_pool(r->pixels, channels, ck_taps(&s->window), r->taps, r->counts, out);
  if (s->has_table) ck_u8_lookup(r->pixels * channels, out, j->call->constants, out);
}

static void u8_average(const job *j, const run *r) {
  const ck_u8_pooling *s = j->step;
  const size_t channels = s->window.channels;
  uint8_t *out = (uint8_t *)j->call->outputs[0] + r->output;
  j->kernels->u8_average_pool(r->pixels, channels, ck_taps(&s->window), r->taps, r->counts, s->zero, s->scale,
                              s->zero_point, out);
  if (s->limit < 255) ck_u8_limit(r->pixels * channels, s->limit, out);
}

size_t ck_scratch_u8_pooling(const void *step, size_t batch, size_t threads) {
  (void)batch;
  return scratch_bytes(&((const ck_u8_pooling *)step)->window, 1, threads);
}

void ck_run_u8_pooling(const void *step, const ck_kernels *kernels, const ck_call *call) {
  const ck_u8_pooling *s = step;
  job j = {.step = s, .kernels = kernels, .call = call, .window = &s->window, .element = 1,
           .pool = s->is_average ? u8_average : u8_maximum};
  each_row(&j, s->zero, s->is_average && s->counts_padding);
}

// A window sees the image wherever it is, unless what lies around it counts; its pixels are counted in `most`.
static bool pools(const ck_window *w, bool counts_padding, size_t most) {
  if (!ck_is_window(w) || ck_taps(w) > most) return false;
  return counts_padding || (w->dilation_h == 1 && w->dilation_w == 1 && w->pad_top < w->kernel_h &&
                            w->pad_left < w->kernel_w && (w->out_height - 1) * w->stride_h < w->height + w->pad_top &&
                            (w->out_width - 1) * w->stride_w < w->width + w->pad_left);
}

const char *ck_check_f32_pooling(const void *step, const ck_operands *of) {
  const ck_f32_pooling *s = step;
  const ck_window *w = &s->window;
  if (!pools(w, s->is_average && s->counts_padding, (size_t)1 << 28) || s->gives_winners) return CK_BAD_NUMBER;
  return ck_maps(of, ck_image_bytes(w, sizeof(float)), ck_result_bytes(w, w->channels, sizeof(float)))
             ? NULL
             : CK_OTHER_SIZES;
}

const char *ck_check_u8_pooling(const void *step, const ck_operands *of) {
  const ck_u8_pooling *s = step;
  const ck_window *w = &s->window;
  if (!pools(w, s->is_average && s->counts_padding, s->is_average ? INT32_MAX / 255 : (size_t)1 << 28) ||
      !ck_is_moderate(s->scale)) {
    return CK_BAD_NUMBER;
  }
  if (!ck_maps(of, ck_image_bytes(w, 1), ck_result_bytes(w, w->channels, 1))) return CK_OTHER_SIZES;
  return !s->has_table || ck_holds(of, 0, 256, 1) ? NULL : CK_BEYOND_CONSTANTS;
}
