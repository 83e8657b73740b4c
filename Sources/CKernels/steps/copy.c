#include "check.h"

#include "steps/copy.h"

void ck_run_copy(const void *step, const ck_kernels *kernels, const ck_call *call) {
  (void)kernels;
  __builtin_memcpy(call->outputs[0], call->inputs[0], call->batch * ((const ck_copy *)step)->bytes);
}

void ck_run_constant(const void *step, const ck_kernels *kernels, const ck_call *call) {
  (void)kernels;
  const size_t bytes = ((const ck_copy *)step)->bytes;
  for (size_t i = 0; i < call->batch; i++) {
    __builtin_memcpy((char *)call->outputs[0] + i * bytes, call->constants, bytes);
  }
}

const char *ck_check_copy(const void *step, const ck_operands *of) {
  const size_t bytes = ((const ck_copy *)step)->bytes;
  return ck_maps(of, bytes, bytes) ? NULL : CK_OTHER_SIZES;
}

const char *ck_check_constant(const void *step, const ck_operands *of) {
  const size_t bytes = ((const ck_copy *)step)->bytes;
  if (of->inputs != 0 || of->outputs != 1 || of->output_bytes[0] != bytes) return CK_OTHER_SIZES;
  return ck_holds(of, 0, bytes, 1) ? NULL : CK_BEYOND_CONSTANTS;
}
