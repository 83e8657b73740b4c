#include "check.h"

#include "ck-geometry.h"
#include "ck-taps.h"
#include "steps/f32-taps.h"

size_t ck_scratch_f32_taps(const void *step, size_t batch, size_t threads) {
  (void)batch;
  return ck_tap_scratch(&((const ck_f32_taps *)step)->window, sizeof(float), threads);
}

typedef struct {
  const ck_f32_taps *step;
  const ck_kernels *kernels;
  const ck_call *call;
} job;

static void outputs(void *context, const ck_tap_run *run) {
  const job *j = context;
  const ck_f32_taps *s = j->step;
  const size_t channels = s->window.channels;
  j->kernels->f32_depthwise(run->pixels, channels, ck_taps(&s->window), run->taps, run->step, j->call->constants,
                            ck_constant(j->call, s->bias),
                            (float *)j->call->outputs[0] + run->output_pixel * channels, channels, s->lo, s->hi);
}

void ck_run_f32_taps(const void *step, const ck_kernels *kernels, const ck_call *call) {
  static const uint8_t zero = 0;
  job j = {step, kernels, call};
  ck_each_tap_run(&j.step->window, call->inputs[0], sizeof(float), call->batch, SIZE_MAX, &zero, 0, call->scratch,
                  call->workers, outputs, &j);
}

const char *ck_check_f32_taps(const void *step, const ck_operands *of) {
  const ck_f32_taps *s = step;
  const ck_window *w = &s->window;
  if (!ck_is_window(w)) return CK_BAD_NUMBER;
  if (!ck_maps(of, ck_image_bytes(w, sizeof(float)), ck_result_bytes(w, w->channels, sizeof(float)))) {
    return CK_OTHER_SIZES;
  }
  return ck_holds(of, 0, ck_times(ck_taps(w), w->channels), sizeof(float)) &&
                 ck_holds(of, s->bias, w->channels, sizeof(float))
             ? NULL
             : CK_BEYOND_CONSTANTS;
}
