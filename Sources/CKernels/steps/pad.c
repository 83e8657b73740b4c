#include "check.h"

#include "ck-layout.h"
#include "steps/pad.h"

typedef struct {
  const ck_pad *step;
  const ck_call *call;
} job;

static void image(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const ck_pad *s = j->step;
  const size_t bytes = s->run * s->element;
  const uint8_t *from = (const uint8_t *)j->call->inputs[0] + index * s->in_count * s->element;
  uint8_t *to = (uint8_t *)j->call->outputs[0] + index * s->out_count * s->element;
  const uint64_t *starts = j->call->constants;
  if (s->element == 1) {
    __builtin_memset(to, (int)s->fill, s->out_count);
  } else {
    for (size_t i = 0; i < s->out_count; i++) ((uint32_t *)(void *)to)[i] = s->fill;
  }
  for (size_t run = 0; run < s->runs; run++) {
    __builtin_memcpy(to + starts[run] * s->element, from + run * bytes, bytes);
  }
  if (s->table != 0) ck_u8_lookup(s->out_count, to, ck_constant(j->call, s->table), to);
}

void ck_run_pad(const void *step, const ck_kernels *kernels, const ck_call *call) {
  (void)kernels;
  job j = {step, call};
  ck_share(call->workers, call->batch * j.step->out_count, call->batch, image, &j);
}

const char *ck_check_pad(const void *step, const ck_operands *of) {
  const ck_pad *s = step;
  if ((s->element != 1 && s->element != 4) || ck_times(s->runs, s->run) != s->in_count || s->run > s->out_count ||
      !ck_maps(of, ck_times(s->in_count, s->element), ck_times(s->out_count, s->element))) {
    return CK_OTHER_SIZES;
  }
  if (!ck_holds(of, 0, s->runs, sizeof(uint64_t)) || !ck_holds_table(of, s->table)) return CK_BEYOND_CONSTANTS;
  return ck_greatest(of->constants, s->runs) <= s->out_count - s->run ? NULL : CK_BAD_INDEX;
}
