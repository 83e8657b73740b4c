#include "codes.h"
#include "check.h"

#include "steps/u8-softmax.h"

typedef struct {
  const ck_u8_softmax *step;
  const ck_call *call;
  size_t rows, rows_per_piece;
} job;

static void piece(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const ck_u8_softmax *s = j->step;
  const uint32_t *table = j->call->constants;
  const ck_code_range range = ck_codes(s->zero_point, s->limit);
  const size_t first = index * j->rows_per_piece, end = ck_min(first + j->rows_per_piece, j->rows), n = s->columns;
  const uint8_t *a = (const uint8_t *)j->call->inputs[0] + first * n;
  uint8_t *out = (uint8_t *)j->call->outputs[0] + first * n;
  for (size_t row = first; row < end; row++, a += n, out += n) {
    uint8_t greatest = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) greatest = a[i] > greatest ? a[i] : greatest;
    for (size_t i = 0; i < n; i++) sum += table[greatest - a[i]];
    const float factor = 1 / ((float)sum * s->scale);
    for (size_t i = 0; i < n; i++) out[i] = ck_code((float)table[greatest - a[i]] * factor, range);
  }
}

void ck_run_u8_softmax(const void *step, const ck_kernels *kernels, const ck_call *call) {
  (void)kernels;
  const ck_u8_softmax *s = step;
  if (s->columns == 0) return;
  job j = {s, call, call->batch * s->rows, ck_max(1, CK_PIECE / s->columns)};
  ck_share(call->workers, CK_ALWAYS, ck_ceil(j.rows, j.rows_per_piece), piece, &j);
}

const char *ck_check_u8_softmax(const void *step, const ck_operands *of) {
  const ck_u8_softmax *s = step;
  const size_t bytes = ck_times(s->rows, s->columns);
  if (!ck_maps(of, bytes, bytes)) return CK_OTHER_SIZES;
  return ck_holds(of, 0, 256, sizeof(uint32_t)) ? NULL : CK_BEYOND_CONSTANTS;
}
