#include "check.h"

#include "steps/f32-prelu.h"

typedef struct {
  const ck_f32_prelu *step;
  const ck_call *call;
  size_t rows, per_piece;
} job;

static void piece(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const size_t channels = j->step->channels, first = index * j->per_piece;
  const size_t end = ck_min(first + j->per_piece, j->rows);
  const float *slope = j->call->constants;
  for (size_t row = first; row < end; row++) {
    const float *a = (const float *)j->call->inputs[0] + row * channels;
    float *out = (float *)j->call->outputs[0] + row * channels;
    for (size_t c = 0; c < channels; c++) out[c] = a[c] < 0 ? slope[c] * a[c] : a[c];
  }
}

void ck_run_f32_prelu(const void *step, const ck_kernels *kernels, const ck_call *call) {
  (void)kernels;
  const ck_f32_prelu *s = step;
  if (s->channels == 0) return;
  job j = {s, call, call->batch * s->rows, ck_max(1, CK_PIECE / s->channels)};
  ck_share(call->workers, j.rows * s->channels, ck_ceil(j.rows, j.per_piece), piece, &j);
}

const char *ck_check_f32_prelu(const void *step, const ck_operands *of) {
  const ck_f32_prelu *s = step;
  const size_t bytes = ck_times_3(s->rows, s->channels, sizeof(float));
  if (!ck_maps(of, bytes, bytes)) return CK_OTHER_SIZES;
  return ck_holds(of, 0, s->channels, sizeof(float)) ? NULL : CK_BEYOND_CONSTANTS;
}
