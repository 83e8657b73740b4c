#include "check.h"

#include "steps/f32-arg-max.h"

typedef struct {
  const ck_f32_arg_max *step;
  const ck_call *call;
} job;

static void row(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const ck_f32_arg_max *s = j->step;
  const float *a = (const float *)j->call->inputs[0] + index * s->extent * s->inner;
  float *out = (float *)j->call->outputs[0] + index * s->inner;
  for (size_t i = 0; i < s->inner; i++) {
    size_t best = 0;
    for (size_t k = 1; k < s->extent && a[best * s->inner + i] == a[best * s->inner + i]; k++) {
      const float x = a[k * s->inner + i];
      if (x > a[best * s->inner + i] || x != x) best = k;
    }
    out[i] = (float)best;
  }
}

void ck_run_f32_arg_max(const void *step, const ck_kernels *kernels, const ck_call *call) {
  (void)kernels;
  const ck_f32_arg_max *s = step;
  job j = {s, call};
  ck_share(call->workers, call->batch * s->outer * s->extent * s->inner, call->batch * s->outer, row, &j);
}

const char *ck_check_f32_arg_max(const void *step, const ck_operands *of) {
  const ck_f32_arg_max *s = step;
  const size_t results = ck_times_3(s->outer, s->inner, sizeof(float));
  return ck_maps(of, ck_times(results, s->extent), results) ? NULL : CK_OTHER_SIZES;
}
