// The machine this runs on.
#include "kernel.h"

#include <pthread.h>

ck_features ck_host_features(void) {
  ck_features has = 0;
#if defined(__x86_64__)
#define ASK(feature) \
  if (__builtin_cpu_supports(#feature)) has |= ck_has_##feature;
  ASK(avx2) ASK(fma) ASK(f16c) ASK(avx512f) ASK(avx512bw) ASK(avx512vl) ASK(avx512dq) ASK(avx512vnni) ASK(avx512bf16)
#undef ASK
#elif defined(__aarch64__)
  has |= ck_has_neon;
#endif
  return has;
}

static ck_kernels selected[CK_ISA_COUNT];
static bool runs[CK_ISA_COUNT];

static void select_all(void) {
  const ck_features features = ck_host_features();
  for (int isa = 0; isa < CK_ISA_COUNT; isa++) runs[isa] = ck_select((ck_isa)isa, features, &selected[isa]);
}

const ck_kernels *ck_kernels_for(ck_isa isa) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, select_all);
  return runs[isa] ? &selected[isa] : 0;
}
