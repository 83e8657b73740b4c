#include "check.h"

#include "steps/f32-bilinear.h"

typedef struct {
  const ck_f32_bilinear *step;
  const ck_call *call;
} job;

static void row(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const ck_f32_bilinear *s = j->step;
  const size_t sample = index / s->out_height, y = index % s->out_height, line = s->in_width * s->channels;
  const ck_tap *rows = j->call->constants, *columns = rows + s->out_height;
  const float *image = (const float *)j->call->inputs[0] + sample * s->in_height * line;
  const float *upper = image + rows[y].first * line, *lower = image + rows[y].second * line;
  float *out = (float *)j->call->outputs[0] + index * s->out_width * s->channels;
  for (size_t x = 0; x < s->out_width; x++, out += s->channels) {
    const size_t left = columns[x].first * s->channels, right = columns[x].second * s->channels;
    for (size_t c = 0; c < s->channels; c++) {
      const float a = upper[left + c], b = upper[right + c], d = lower[left + c], e = lower[right + c];
      const float top = a + (b - a) * columns[x].share, bottom = d + (e - d) * columns[x].share;
      out[c] = top + (bottom - top) * rows[y].share;
    }
  }
}

void ck_run_f32_bilinear(const void *step, const ck_kernels *kernels, const ck_call *call) {
  (void)kernels;
  const ck_f32_bilinear *s = step;
  job j = {s, call};
  ck_share(call->workers, 4 * call->batch * s->out_height * s->out_width * s->channels, call->batch * s->out_height, row,
           &j);
}

const char *ck_check_f32_bilinear(const void *step, const ck_operands *of) {
  const ck_f32_bilinear *s = step;
  if (!ck_maps(of, ck_times_4(s->in_height, s->in_width, s->channels, sizeof(float)),
               ck_times_4(s->out_height, s->out_width, s->channels, sizeof(float)))) {
    return CK_OTHER_SIZES;
  }
  if (!ck_holds(of, 0, ck_plus(s->out_height, s->out_width), sizeof(ck_tap))) return CK_BEYOND_CONSTANTS;
  const ck_tap *taps = of->constants;
  for (size_t i = 0; i < s->out_height + s->out_width; i++) {
    const size_t extent = i < s->out_height ? s->in_height : s->in_width;
    if (taps[i].first >= extent || taps[i].second >= extent) return CK_BAD_INDEX;
  }
  return NULL;
}
