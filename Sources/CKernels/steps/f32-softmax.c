#include "check.h"

#include "steps/f32-softmax.h"

// out = a - the greatest of a
static void subtract_greatest(size_t n, const float *a, float *out) {
  float greatest = a[0];
  for (size_t i = 1; i < n; i++) greatest = a[i] > greatest ? a[i] : greatest;
  for (size_t i = 0; i < n; i++) out[i] = a[i] - greatest;
}

void ck_softmax_rows(const ck_kernels *kernels, size_t rows, size_t n, const float *a, float *out) {
  for (size_t r = 0; r < rows; r++, a += n, out += n) {
    subtract_greatest(n, a, out);
    kernels->f32_smooth(ck_smooth_exp, n, out, out);
    float sum = 0;
    for (size_t i = 0; i < n; i++) sum += out[i];
    for (size_t i = 0; i < n; i++) out[i] /= sum;
  }
}

void ck_log_softmax_rows(const ck_kernels *kernels, size_t rows, size_t n, const float *a, float *out) {
  enum { BLOCK = 256 };
  float powers[BLOCK];
  for (size_t r = 0; r < rows; r++, a += n, out += n) {
    subtract_greatest(n, a, out);
    float sum = 0;
    for (size_t i = 0; i < n; i += BLOCK) {
      const size_t block = ck_min(BLOCK, n - i);
      kernels->f32_smooth(ck_smooth_exp, block, out + i, powers);
      for (size_t k = 0; k < block; k++) sum += powers[k];
    }
    const float logarithm = __builtin_logf(sum);
    for (size_t i = 0; i < n; i++) out[i] -= logarithm;
  }
}

typedef struct {
  const ck_f32_softmax_step *step;
  const ck_kernels *kernels;
  const ck_call *call;
  size_t rows, columns, rows_per_piece;
} job;

static void piece(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const size_t row = index * j->rows_per_piece, first = row * j->columns;
  (j->step->is_logarithm ? ck_log_softmax_rows : ck_softmax_rows)(
      j->kernels, ck_min(j->rows_per_piece, j->rows - row), j->columns,
      (const float *)j->call->inputs[0] + first, (float *)j->call->outputs[0] + first);
}

void ck_run_f32_softmax(const void *step, const ck_kernels *kernels, const ck_call *call) {
  const ck_f32_softmax_step *s = step;
  if (s->columns == 0) return;
  job j = {s, kernels, call, call->batch * s->rows, s->columns, ck_max(1, CK_PIECE / s->columns)};
  ck_share(call->workers, CK_ALWAYS, ck_ceil(j.rows, j.rows_per_piece), piece, &j);
}

const char *ck_check_f32_softmax(const void *step, const ck_operands *of) {
  const ck_f32_softmax_step *s = step;
  const size_t bytes = ck_times_3(s->rows, s->columns, sizeof(float));
  return ck_maps(of, bytes, bytes) ? NULL : CK_OTHER_SIZES;
}
