#include "integer-check.h"
#include "integer-output.h"

#include "ck-geometry.h"
#include "ck-taps.h"
#include "steps/u8s8-taps.h"

// Outputs at a time whose sums stay within the first cache levels; as many as there are where no sums are kept.
static size_t run_length(const ck_u8s8_taps *s) {
  if (!ck_keeps_sums(&s->output)) return SIZE_MAX;
  return ck_min(s->window.out_width, ck_max(1, 8192 / s->window.channels));
}

static size_t sum_bytes(const ck_u8s8_taps *s) {
  if (!ck_keeps_sums(&s->output)) return 0;
  return ck_aligned(run_length(s) * s->window.channels * sizeof(int32_t));
}

size_t ck_scratch_u8s8_taps(const void *step, size_t batch, size_t threads) {
  (void)batch;
  const ck_u8s8_taps *s = step;
  return ck_padded(threads * sum_bytes(s)) + ck_tap_scratch(&s->window, 1, threads);
}

typedef struct {
  const ck_u8s8_taps *step;
  const ck_kernels *kernels;
  const ck_call *call;
  char *sums;
  size_t sum_bytes;
} job;

// A weight's zero point takes part in every product: sum (w - zero) a = sum w a - zero * sum a.
static void take_out(const ck_tap_run *run, size_t channels, size_t taps, int32_t *sums, const int32_t *zero_points) {
  for (size_t i = 0; i < run->pixels; i++, sums += channels) {
    for (size_t t = 0; t < taps; t++) {
      const uint8_t *a = (const uint8_t *)run->taps[t] + i * run->step;
      for (size_t c = 0; c < channels; c++) sums[c] -= zero_points[c] * a[c];
    }
  }
}

static void outputs(void *context, const ck_tap_run *run) {
  const job *j = context;
  const ck_u8s8_taps *s = j->step;
  const ck_integer_output *o = &s->output;
  const size_t channels = s->window.channels, taps = ck_taps(&s->window);
  if (!ck_keeps_sums(o)) {
    const ck_requantization to = ck_requantization_of(o, j->call, 0);
    j->kernels->u8s8_depthwise_codes(run->pixels, channels, taps, run->taps, run->step, j->call->constants, &to,
                                     (uint8_t *)j->call->outputs[0] + run->output_pixel * channels, channels);
    return;
  }
  int32_t *sums = (int32_t *)(void *)(j->sums + run->worker * j->sum_bytes);
  j->kernels->u8s8_depthwise(run->pixels, channels, taps, run->taps, run->step, j->call->constants, sums, channels);
  if (o->weight_zero_points != 0) {
    take_out(run, channels, taps, sums, ck_constant(j->call, o->weight_zero_points));
  }
  ck_give_sums(o, j->kernels, j->call, sums, channels, run->output_pixel, run->output_pixel + run->pixels, 0, channels,
               ck_out_pixels(&s->window), channels);
}

void ck_run_u8s8_taps(const void *step, const ck_kernels *kernels, const ck_call *call) {
  const ck_u8s8_taps *s = step;
  if (call->batch == 0) return;
  char *next = ck_scratch_start(call->scratch);
  job j = {s, kernels, call, NULL, sum_bytes(s)};
  j.sums = ck_take(&next, call->workers->threads * j.sum_bytes);
  const ck_image_quantizations images = ck_quantizations_of(&s->output, call);
  ck_each_tap_run(&s->window, call->inputs[0], 1, call->batch, run_length(s), &images.first->zero_point,
                  images.step * sizeof(ck_quantization), next, call->workers, outputs, &j);
}

const char *ck_check_u8s8_taps(const void *step, const ck_operands *of) {
  const ck_u8s8_taps *s = step;
  if (s->output.per_image) return CK_BAD_NUMBER;
  return ck_check_tap_weights(s, of);
}

const char *ck_check_tap_weights(const ck_u8s8_taps *s, const ck_operands *of) {
  const ck_window *w = &s->window;
  if (!ck_is_window(w)) return CK_BAD_NUMBER;
  const size_t taps = ck_taps(w), channels = w->channels;
  if (!ck_maps(of, ck_image_bytes(w, 1), ck_result_bytes(w, channels, s->output.to_floats ? sizeof(float) : 1))) {
    return CK_OTHER_SIZES;
  }
  const char *wrong = ck_check_integer_output(&s->output, of, channels, taps);
  if (wrong) return wrong;
  if (!ck_holds(of, 0, ck_times(ck_up(taps, 4), channels), 1)) return CK_BEYOND_CONSTANTS;
  return ck_check_columns(&s->output, of, of->constants, channels, 0, channels, taps, 0);
}
