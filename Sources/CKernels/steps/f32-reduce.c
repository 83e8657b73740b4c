#include "check.h"

#include "steps/f32-reduce.h"

typedef struct {
  const ck_f32_reduce *step;
  const ck_call *call;
  size_t per_piece, pieces;  // of one sample
} job;

static float reduced(const ck_f32_reduce *s, const float *a, const uint64_t *within) {
  float result = s->reduction <= ck_reduce_sum ? 0 : a[within[0]];
  switch (s->reduction) {
    case ck_reduce_mean:
    case ck_reduce_sum:
      for (size_t i = 0; i < s->elements; i++) result += a[within[i]];
      break;
    case ck_reduce_max:
      for (size_t i = 1; i < s->elements; i++) {
        const float x = a[within[i]];
        if (x > result || x != x) result = x;
      }
      break;
    case ck_reduce_min:
      for (size_t i = 1; i < s->elements; i++) {
        const float x = a[within[i]];
        if (x < result || x != x) result = x;
      }
      break;
  }
  return s->reduction == ck_reduce_mean ? result / (float)s->elements : result;
}

static void piece(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const ck_f32_reduce *s = j->step;
  const size_t sample = index / j->pieces, first = index % j->pieces * j->per_piece;
  const size_t end = ck_min(first + j->per_piece, s->results);
  const uint64_t *starts = j->call->constants, *within = starts + s->results;
  const float *a = (const float *)j->call->inputs[0] + sample * s->in_count;
  float *out = (float *)j->call->outputs[0] + sample * s->results;
  for (size_t i = first; i < end; i++) out[i] = reduced(s, a + starts[i], within);
}

void ck_run_f32_reduce(const void *step, const ck_kernels *kernels, const ck_call *call) {
  (void)kernels;
  const ck_f32_reduce *s = step;
  if (s->results == 0) return;
  job j = {s, call, ck_max(1, CK_PIECE / s->elements), 0};
  j.pieces = ck_ceil(s->results, j.per_piece);
  ck_share(call->workers, call->batch * s->in_count, call->batch * j.pieces, piece, &j);
}

const char *ck_check_f32_reduce(const void *step, const ck_operands *of) {
  const ck_f32_reduce *s = step;
  if (!ck_maps(of, ck_times(s->in_count, sizeof(float)), ck_times(s->results, sizeof(float))) || s->elements == 0) {
    return CK_OTHER_SIZES;
  }
  if (!ck_holds(of, 0, ck_plus(s->results, s->elements), sizeof(uint64_t))) return CK_BEYOND_CONSTANTS;
  const uint64_t *starts = of->constants, *within = starts + s->results;
  return ck_plus(ck_greatest(starts, s->results), ck_greatest(within, s->elements)) < s->in_count ? NULL : CK_BAD_INDEX;
}
