#include "check.h"

#include "ck-layout.h"
#include "steps/rearrange.h"

typedef struct {
  const ck_rearrange *step;
  const ck_call *call;
  size_t per_piece, pieces;  // of one sample
} job;

static void piece(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const ck_rearrange *s = j->step;
  const size_t sample = index / j->pieces, first = index % j->pieces * j->per_piece;
  const size_t end = ck_min(first + j->per_piece, s->outer);
  const uint64_t *outer = j->call->constants, *inner = outer + s->outer;
  const size_t bytes = s->run ? s->run : s->inner * s->element;
  const uint8_t *from = (const uint8_t *)j->call->inputs[0] + sample * s->in_bytes;
  uint8_t *to = (uint8_t *)j->call->outputs[0] + sample * s->out_bytes + first * bytes;
  for (size_t i = first; i < end; i++, to += bytes) {
    const uint8_t *start = from + outer[i];
    if (s->run) {
      __builtin_memcpy(to, start, s->run);
    } else if (s->element == 4) {
      for (size_t k = 0; k < s->inner; k++) __builtin_memcpy(to + 4 * k, start + inner[k], 4);
    } else {
      for (size_t k = 0; k < s->inner; k++) to[k] = start[inner[k]];
    }
    if (s->table) ck_u8_lookup(bytes, to, ck_constant(j->call, s->table), to);
  }
}

void ck_run_rearrange(const void *step, const ck_kernels *kernels, const ck_call *call) {
  (void)kernels;
  const ck_rearrange *s = step;
  if (s->out_bytes == 0) return;
  job j = {s, call, ck_max(1, 4 * CK_PIECE / ck_max(1, s->out_bytes / s->outer)), 0};
  j.pieces = ck_ceil(s->outer, j.per_piece);
  ck_share(call->workers, call->batch * s->out_bytes, call->batch * j.pieces, piece, &j);
}

const char *ck_check_rearrange(const void *step, const ck_operands *of) {
  const ck_rearrange *s = step;
  const size_t piece = s->run != 0 ? s->run : ck_times(s->inner, s->element);
  if ((s->element != 1 && s->element != 4) || !ck_maps(of, s->in_bytes, s->out_bytes) ||
      ck_times(s->outer, piece) != s->out_bytes) {
    return CK_OTHER_SIZES;
  }
  const size_t inner = s->run != 0 ? 0 : s->inner;
  if (!ck_holds(of, 0, ck_plus(s->outer, inner), sizeof(uint64_t)) || !ck_holds_table(of, s->table)) {
    return CK_BEYOND_CONSTANTS;
  }
  const uint64_t *outer = of->constants;
  const size_t last = ck_plus(ck_greatest(outer, s->outer), ck_greatest(outer + s->outer, inner));
  return ck_plus(last, s->run != 0 ? s->run : s->element) <= s->in_bytes ? NULL : CK_BAD_INDEX;
}
