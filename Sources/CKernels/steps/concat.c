#include "check.h"

#include "ck-layout.h"
#include "steps/concat.h"

typedef struct {
  const ck_concat *step;
  const ck_call *call;
  size_t rows, rows_per_piece;
} job;

static void piece(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const size_t first = index * j->rows_per_piece, end = ck_min(first + j->rows_per_piece, j->rows);
  const ck_concat_part *parts = j->call->constants;
  uint8_t *column = j->call->outputs[0];
  for (size_t i = 0; i < j->step->parts; i++) {
    const size_t bytes = parts[i].bytes;
    const uint8_t *from = (const uint8_t *)j->call->inputs[i] + first * bytes;
    uint8_t *to = column + first * j->step->row_bytes;
    for (size_t row = first; row < end; row++, from += bytes, to += j->step->row_bytes) {
      if (parts[i].table != 0) ck_u8_lookup(bytes, from, ck_constant(j->call, parts[i].table), to);
      else __builtin_memcpy(to, from, bytes);
    }
    column += bytes;
  }
}

void ck_run_concat(const void *step, const ck_kernels *kernels, const ck_call *call) {
  (void)kernels;
  const ck_concat *s = step;
  if (s->row_bytes == 0) return;
  job j = {s, call, call->batch * s->rows, ck_max(1, 4 * CK_PIECE / s->row_bytes)};
  ck_share(call->workers, j.rows * s->row_bytes, ck_ceil(j.rows, j.rows_per_piece), piece, &j);
}

const char *ck_check_concat(const void *step, const ck_operands *of) {
  const ck_concat *s = step;
  if (s->parts != of->inputs || of->outputs != 1 || of->output_bytes[0] != ck_times(s->rows, s->row_bytes)) {
    return CK_OTHER_SIZES;
  }
  if (!ck_holds(of, 0, s->parts, sizeof(ck_concat_part))) return CK_BEYOND_CONSTANTS;
  const ck_concat_part *parts = of->constants;
  size_t row = 0;
  for (size_t i = 0; i < s->parts; i++) {
    if (of->input_bytes[i] != ck_times(s->rows, parts[i].bytes)) return CK_OTHER_SIZES;
    if (!ck_holds_table(of, parts[i].table)) return CK_BEYOND_CONSTANTS;
    row = ck_plus(row, parts[i].bytes);
  }
  return row == s->row_bytes ? NULL : CK_OTHER_SIZES;
}
