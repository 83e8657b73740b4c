#include "check.h"

#include "steps/dynamic-convolution.h"

static size_t quantization_bytes(size_t batch) { return ck_aligned(batch * sizeof(ck_quantization)); }
static size_t code_bytes(const ck_dynamic_convolution *s, size_t batch) { return ck_aligned(batch * s->count); }

size_t ck_scratch_dynamic_convolution(const void *step, size_t batch, size_t threads) {
  const ck_dynamic_convolution *s = step;
  const size_t own = ck_padded(quantization_bytes(batch) + code_bytes(s, batch));
  return own + (s->is_depthwise ? ck_scratch_u8s8_taps(&s->taps, batch, threads)
                                : ck_scratch_u8s8_patches(&s->patches, batch, threads));
}

typedef struct {
  size_t count;
  const ck_kernels *kernels;
  const float *images;
  ck_quantization *quantizations;
  uint8_t *codes;
} job;

static void quantize(void *context, size_t image, size_t worker) {
  (void)worker;
  const job *j = context;
  const float *values = j->images + image * j->count;
  float least = 0, greatest = 0;
  if (j->count > 0) j->kernels->f32_range(j->count, values, &least, &greatest);
  // With a NaN among the values neither end is known.
  const bool is_range = least <= greatest;
  const ck_quantization to = ck_quantization_covering(is_range ? least : 0, is_range ? greatest : 0);
  j->quantizations[image] = to;
  j->kernels->f32_quantize(j->count, values, 1 / to.scale, to.zero_point, j->codes + image * j->count);
}

void ck_run_dynamic_convolution(const void *step, const ck_kernels *kernels, const ck_call *call) {
  const ck_dynamic_convolution *s = step;
  char *next = ck_scratch_start(call->scratch);
  job j = {.count = s->count, .kernels = kernels, .images = call->inputs[0]};
  j.quantizations = ck_take(&next, quantization_bytes(call->batch));
  j.codes = ck_take(&next, code_bytes(s, call->batch));
  ck_share(call->workers, CK_ALWAYS, call->batch, quantize, &j);
  const void *const inputs[] = {j.codes, j.quantizations};
  ck_call rest = *call;
  rest.inputs = inputs;
  rest.scratch = next;
  if (s->is_depthwise) ck_run_u8s8_taps(&s->taps, kernels, &rest);
  else ck_run_u8s8_patches(&s->patches, kernels, &rest);
}

const char *ck_check_dynamic_convolution(const void *step, const ck_operands *of) {
  const ck_dynamic_convolution *s = step;
  const ck_integer_output *output = s->is_depthwise ? &s->taps.output : &s->patches.output;
  if (!output->to_floats || !output->per_image) return CK_BAD_NUMBER;
  if (of->inputs != 1 || of->input_bytes[0] != ck_times(s->count, sizeof(float))) return CK_OTHER_SIZES;
  ck_operands codes = *of;
  codes.input_bytes = &s->count;
  return s->is_depthwise ? ck_check_tap_weights(&s->taps, &codes) : ck_check_patch_weights(&s->patches, &codes);
}
