#include "check.h"

#include "steps/f32-norm.h"

void ck_f32_norm_statistics(const ck_f32_norm *step, const float *a, size_t rows, size_t n, size_t stride, float *mean,
                            float *inverse) {
  double sum = 0, squares = 0;
  const double count = (double)(rows * n);
  float middle = 0;
  if (step->statistic == ck_norm_variance) {
    for (size_t r = 0; r < rows; r++) {
      for (size_t i = 0; i < n; i++) sum += (double)a[r * stride + i];
    }
    middle = (float)(sum / count);
  }
  for (size_t r = 0; r < rows; r++) {
    for (size_t i = 0; i < n; i++) {
      const double distance = (double)a[r * stride + i] - (double)middle;
      squares += distance * distance;
    }
  }
  *mean = middle;
  if (step->statistic == ck_norm_length) {
    const float length = __builtin_sqrtf((float)squares);
    *inverse = 1 / (length > step->epsilon ? length : step->epsilon);
  } else {
    *inverse = 1 / __builtin_sqrtf((float)(squares / count) + step->epsilon);
  }
}

typedef struct {
  const ck_f32_norm *step;
  const ck_call *call;
} job;

// One row of the last axis, or one group of one sample.
static void piece(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const ck_f32_norm *s = j->step;
  const size_t groups = s->groups ? s->groups : 1, n = s->channels / groups, rows = s->groups ? s->positions : 1;
  const size_t first = index % groups * n, start = index / groups * rows * s->channels + first;
  const float *a = (const float *)j->call->inputs[0] + start;
  const float *gamma = (const float *)j->call->constants + first, *beta = gamma + s->channels;
  float *out = (float *)j->call->outputs[0] + start;
  float mean, inverse;
  ck_f32_norm_statistics(s, a, rows, n, s->channels, &mean, &inverse);
  for (size_t r = 0; r < rows; r++) {
    for (size_t i = 0; i < n; i++) {
      const float centred = a[r * s->channels + i] - mean, normal = centred * inverse, scaled = normal * gamma[i];
      out[r * s->channels + i] = scaled + beta[i];
    }
  }
}

void ck_run_f32_norm(const void *step, const ck_kernels *kernels, const ck_call *call) {
  (void)kernels;
  const ck_f32_norm *s = step;
  job j = {s, call};
  const size_t count = s->groups ? s->groups : s->positions;
  ck_share(call->workers, 4 * call->batch * s->positions * s->channels, call->batch * count, piece, &j);
}

const char *ck_check_f32_norm(const void *step, const ck_operands *of) {
  const ck_f32_norm *s = step;
  const size_t bytes = ck_times_3(s->positions, s->channels, sizeof(float));
  if (!ck_maps(of, bytes, bytes) || (s->groups != 0 && s->channels % s->groups != 0)) return CK_OTHER_SIZES;
  return ck_holds(of, 0, ck_times(2, s->channels), sizeof(float)) ? NULL : CK_BEYOND_CONSTANTS;
}
