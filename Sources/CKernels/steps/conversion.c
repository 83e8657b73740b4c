#include "check.h"

#include "ck-layout.h"
#include "steps/conversion.h"

typedef struct job job;
// What becomes of n elements.
typedef void body(const job *j, size_t n, const void *from, void *to);
struct job {
  const void *step;
  const ck_kernels *kernels;
  const ck_call *call;
  size_t count, from_bytes, to_bytes;  // elements of all samples, bytes of one
  body *body;
};

static void piece(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const size_t first = index * CK_PIECE;
  j->body(j, ck_min(CK_PIECE, j->count - first), (const char *)j->call->inputs[0] + first * j->from_bytes,
          (char *)j->call->outputs[0] + first * j->to_bytes);
}

static void share(job j, size_t count) {
  j.count = j.call->batch * count;
  ck_share(j.call->workers, CK_ALWAYS, ck_ceil(j.count, CK_PIECE), piece, &j);
}

static void quantize(const job *j, size_t n, const void *from, void *to) {
  const ck_quantization q = ((const ck_conversion *)j->step)->quantization;
  j->kernels->f32_quantize(n, from, 1 / q.scale, q.zero_point, to);
  if (q.limit < 255) ck_u8_limit(n, q.limit, to);
}

void ck_run_quantize(const void *step, const ck_kernels *kernels, const ck_call *call) {
  share((job){step, kernels, call, 0, sizeof(float), 1, quantize}, ((const ck_conversion *)step)->count);
}

static void dequantize(const job *j, size_t n, const void *from, void *to) {
  const ck_quantization q = ((const ck_conversion *)j->step)->quantization;
  j->kernels->u8_dequantize(n, from, q.scale, q.zero_point, to);
}

void ck_run_dequantize(const void *step, const ck_kernels *kernels, const ck_call *call) {
  share((job){step, kernels, call, 0, 1, sizeof(float), dequantize}, ((const ck_conversion *)step)->count);
}

static void lookup(const job *j, size_t n, const void *from, void *to) {
  ck_u8_lookup(n, from, j->call->constants, to);
}

void ck_run_lookup(const void *step, const ck_kernels *kernels, const ck_call *call) {
  share((job){step, kernels, call, 0, 1, 1, lookup}, ((const ck_lookup *)step)->count);
}

static void round_affine(const job *j, size_t n, const void *from, void *to) {
  const ck_affine_rounding *s = j->step;
  ck_f32_round_affine(n, from, 1 / s->scale, s->zero_point, s->limit, s->scale, to);
}

void ck_run_round_affine(const void *step, const ck_kernels *kernels, const ck_call *call) {
  share((job){step, kernels, call, 0, sizeof(float), sizeof(float), round_affine},
        ((const ck_affine_rounding *)step)->count);
}

static void round_levels(const job *j, size_t n, const void *from, void *to) {
  const float *middles = j->call->constants;
  ck_f32_round_levels(n, from, middles, middles + 255, to);
}

void ck_run_round_levels(const void *step, const ck_kernels *kernels, const ck_call *call) {
  share((job){step, kernels, call, 0, sizeof(float), sizeof(float), round_levels},
        ((const ck_level_rounding *)step)->count);
}

const char *ck_check_quantize(const void *step, const ck_operands *of) {
  const ck_conversion *s = step;
  return ck_maps(of, ck_times(s->count, sizeof(float)), s->count) ? NULL : CK_OTHER_SIZES;
}

const char *ck_check_dequantize(const void *step, const ck_operands *of) {
  const ck_conversion *s = step;
  return ck_maps(of, s->count, ck_times(s->count, sizeof(float))) ? NULL : CK_OTHER_SIZES;
}

const char *ck_check_lookup(const void *step, const ck_operands *of) {
  const ck_lookup *s = step;
  if (!ck_maps(of, s->count, s->count)) return CK_OTHER_SIZES;
  return ck_holds(of, 0, 256, 1) ? NULL : CK_BEYOND_CONSTANTS;
}

const char *ck_check_round_affine(const void *step, const ck_operands *of) {
  const size_t bytes = ck_times(((const ck_affine_rounding *)step)->count, sizeof(float));
  return ck_maps(of, bytes, bytes) ? NULL : CK_OTHER_SIZES;
}

// No more levels are read than there are middles that a number can lie above, and one.
const char *ck_check_round_levels(const void *step, const ck_operands *of) {
  const size_t bytes = ck_times(((const ck_level_rounding *)step)->count, sizeof(float));
  if (!ck_maps(of, bytes, bytes)) return CK_OTHER_SIZES;
  if (!ck_holds(of, 0, 255, sizeof(float))) return CK_BEYOND_CONSTANTS;
  const float *middles = of->constants;
  size_t finite = 0;
  while (finite < 255 && middles[finite] < __builtin_inff()) finite++;
  for (size_t i = 0; i < 255; i++) {
    if (i < finite ? i > 0 && !(middles[i - 1] <= middles[i]) : !(middles[i] > 0 && !ck_is_finite(middles[i]))) {
      return "its levels are not in order";
    }
  }
  return ck_holds(of, 0, 255 + finite + 1, sizeof(float)) ? NULL : CK_BEYOND_CONSTANTS;
}
