// Functions of one element. Where there is a kernel for each instruction set it is called; the rest are plain loops, one
// function of the C library an element, so that the bits do not depend on how wide the vectors are.
#include "step.h"

#include "steps/f32-elements.h"

typedef void function(const ck_f32_elements *s, const ck_kernels *kernels, size_t n, const float *a, float *out);

static void clamp(const ck_f32_elements *s, const ck_kernels *kernels, size_t n, const float *a, float *out) {
  kernels->f32_clamp(n, a, s->lo, s->hi, out);
}

static void hard_swish(const ck_f32_elements *s, const ck_kernels *kernels, size_t n, const float *a, float *out) {
  (void)s;
  kernels->f32_hard_swish(n, a, out);
}

#define SCALAR(name, expression)                                                                                     \
  static void name(const ck_f32_elements *s, const ck_kernels *kernels, size_t n, const float *a, float *out) {      \
    (void)s, (void)kernels;                                                                                          \
    for (size_t i = 0; i < n; i++) {                                                                                 \
      const float x = a[i];                                                                                          \
      out[i] = expression;                                                                                           \
    }                                                                                                                \
  }
SCALAR(sigmoid, 1 / (1 + __builtin_expf(-x)))

static function *const functions[] = {
    [ck_element_clamp] = clamp,
    [ck_element_sigmoid] = sigmoid,
    [ck_element_hard_swish] = hard_swish,
};

typedef struct {
  const ck_f32_elements *step;
  const ck_kernels *kernels;
  const ck_call *call;
  size_t count;
} job;

static void piece(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const size_t first = index * CK_PIECE;
  functions[j->step->function](j->step, j->kernels, ck_min(CK_PIECE, j->count - first),
                               (const float *)j->call->inputs[0] + first, (float *)j->call->outputs[0] + first);
}

void ck_run_f32_elements(const void *step, const ck_kernels *kernels, const ck_call *call) {
  job j = {step, kernels, call, 0};
  j.count = call->batch * j.step->count;
  ck_share(call->workers, CK_ALWAYS, ck_ceil(j.count, CK_PIECE), piece, &j);
}
