#include "step.h"

#include "ck-layout.h"
#include "steps/f32-softmax.h"

typedef struct {
  const ck_f32_softmax_step *step;
  const ck_call *call;
  size_t rows, columns, rows_per_piece;
} job;

static void piece(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const size_t row = index * j->rows_per_piece, first = row * j->columns;
  (j->step->is_logarithm ? ck_f32_log_softmax : ck_f32_softmax)(
      ck_min(j->rows_per_piece, j->rows - row), j->columns, (const float *)j->call->inputs[0] + first,
      (float *)j->call->outputs[0] + first);
}

void ck_run_f32_softmax(const void *step, const ck_kernels *kernels, const ck_call *call) {
  (void)kernels;
  const ck_f32_softmax_step *s = step;
  if (s->columns == 0) return;
  job j = {s, call, call->batch * s->rows, s->columns, ck_max(1, CK_PIECE / s->columns)};
  ck_share(call->workers, CK_ALWAYS, ck_ceil(j.rows, j.rows_per_piece), piece, &j);
}
