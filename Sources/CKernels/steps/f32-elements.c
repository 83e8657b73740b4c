// Functions of one element. Where there is a kernel for each instruction set it is called; the rest are plain loops,
// functions of the C library among them, so that the bits do not depend on how wide the vectors are.
#include "check.h"

#include "steps/f32-elements.h"

typedef void function(const ck_f32_elements *s, const ck_kernels *kernels, size_t n, const float *a, float *out);

static void clamp(const ck_f32_elements *s, const ck_kernels *kernels, size_t n, const float *a, float *out) {
  kernels->f32_clamp(n, a, s->lo, s->hi, out);
}

static void hard_swish(const ck_f32_elements *s, const ck_kernels *kernels, size_t n, const float *a, float *out) {
  (void)s;
  kernels->f32_hard_swish(n, a, out);
}

static float softplus_of(float x) {
  const float above = x > 0 ? x : 0;
  return (x != x ? x : above) + __builtin_log1pf(__builtin_expf(-__builtin_fabsf(x)));
}
static float clamped(float x, float lo, float hi) { return x < lo ? lo : x > hi ? hi : x; }

#define SCALAR(name, expression)                                                                                     \
  static void name(const ck_f32_elements *s, const ck_kernels *kernels, size_t n, const float *a, float *out) {      \
    (void)s, (void)kernels;                                                                                          \
    for (size_t i = 0; i < n; i++) {                                                                                 \
      const float x = a[i];                                                                                          \
      out[i] = expression;                                                                                           \
    }                                                                                                                \
  }
#define SMOOTH(name)                                                                                                 \
  static void name##_of(const ck_f32_elements *s, const ck_kernels *kernels, size_t n, const float *a, float *out) { \
    (void)s;                                                                                                         \
    kernels->f32_smooth(ck_smooth_##name, n, a, out);                                                                \
  }
SMOOTH(sigmoid)
SMOOTH(tanh)
SMOOTH(erf)
SMOOTH(exp)
SMOOTH(silu)
SMOOTH(gelu)
SMOOTH(gelu_tanh)
SCALAR(log_of, __builtin_logf(x))
SCALAR(sqrt_of, __builtin_sqrtf(x))
SCALAR(reciprocal, 1 / x)
SCALAR(negative, -x)
SCALAR(absolute, __builtin_fabsf(x))
SCALAR(softplus, softplus_of(x))
SCALAR(mish, x * __builtin_tanhf(softplus_of(x)))
SCALAR(sin_of, __builtin_sinf(x))
SCALAR(cos_of, __builtin_cosf(x))
SCALAR(floor_of, __builtin_floorf(x))
SCALAR(ceil_of, __builtin_ceilf(x))
SCALAR(round_of, __builtin_rintf(x))
SCALAR(sign, x > 0 ? 1 : x < 0 ? -1 : x != x ? x : 0)
SCALAR(leaky_relu, x < 0 ? s->lo * x : x)
SCALAR(elu, x < 0 ? s->lo * __builtin_expm1f(x) : x)
SCALAR(hard_sigmoid, clamped(s->lo * x + s->hi, 0, 1))

static function *const functions[] = {
    [ck_element_clamp] = clamp,
    [ck_element_sigmoid] = sigmoid_of,
    [ck_element_hard_swish] = hard_swish,
    [ck_element_tanh] = tanh_of,
    [ck_element_erf] = erf_of,
    [ck_element_exp] = exp_of,
    [ck_element_log] = log_of,
    [ck_element_sqrt] = sqrt_of,
    [ck_element_reciprocal] = reciprocal,
    [ck_element_negative] = negative,
    [ck_element_absolute] = absolute,
    [ck_element_silu] = silu_of,
    [ck_element_gelu] = gelu_of,
    [ck_element_gelu_tanh] = gelu_tanh_of,
    [ck_element_softplus] = softplus,
    [ck_element_mish] = mish,
    [ck_element_sin] = sin_of,
    [ck_element_cos] = cos_of,
    [ck_element_floor] = floor_of,
    [ck_element_ceil] = ceil_of,
    [ck_element_round] = round_of,
    [ck_element_sign] = sign,
    [ck_element_leaky_relu] = leaky_relu,
    [ck_element_elu] = elu,
    [ck_element_hard_sigmoid] = hard_sigmoid,
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

const char *ck_check_f32_elements(const void *step, const ck_operands *of) {
  const size_t bytes = ck_times(((const ck_f32_elements *)step)->count, sizeof(float));
  return ck_maps(of, bytes, bytes) ? NULL : CK_OTHER_SIZES;
}
