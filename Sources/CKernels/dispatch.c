// The one place that knows which kernels exist and which the machine runs.
#include "ck-bf16.h"
#include "ck-kernels.h"

#define ENTRY(family, isa) .family = ck_##family##_##isa,
#define SET(set, rows, columns, lanes, urows, ucolumns, ulanes, text)                                            \
  static const ck_kernels kernels_##set = {.isa = ck_##set, .name = text, .f32_rows = rows, .f32_columns = columns, \
                                           .f32_lanes = lanes, .u8_rows = urows, .u8_columns = ucolumns,         \
                                           .u8_lanes = ulanes, CK_FAMILIES(ENTRY, set)};
SET(scalar, 4, 8, 1, 4, 8, 1, "scalar")
#if defined(__x86_64__)
SET(avx2, 6, 16, 8, 2, 16, 8, "avx2")
SET(avx512, 14, 32, 16, 14, 32, 16, "avx512vnni")
#elif defined(__aarch64__)
SET(neon, 8, 8, 4, 4, 8, 4, "neon")
#endif

bool ck_isa_supported(ck_isa isa) {
  switch (isa) {
    case ck_scalar: return true;
#if defined(__x86_64__)
    case ck_avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    case ck_avx512:
      return ck_isa_supported(ck_avx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vnni");
#elif defined(__aarch64__)
    case ck_neon: return true;
#endif
    default: return false;
  }
}

const ck_kernels *ck_kernels_for(ck_isa isa) {
  if (!ck_isa_supported(isa)) return 0;
  switch (isa) {
    case ck_scalar: return &kernels_scalar;
#if defined(__x86_64__)
    case ck_avx2: return &kernels_avx2;
    case ck_avx512: return &kernels_avx512;
#elif defined(__aarch64__)
    case ck_neon: return &kernels_neon;
#endif
    default: return 0;
  }
}

static const ck_bf16_kernels bf16_scalar = {CK_BF16_FAMILIES(ENTRY, scalar)};
#if defined(__x86_64__)
static const ck_bf16_kernels bf16_avx512 = {CK_BF16_FAMILIES(ENTRY, avx512)};
#endif

const ck_bf16_kernels *ck_bf16_kernels_for(ck_isa isa) {
  if (isa == ck_scalar) return &bf16_scalar;
#if defined(__x86_64__)
  if (isa == ck_avx512 && ck_isa_supported(isa) && __builtin_cpu_supports("avx512bf16")) return &bf16_avx512;
#endif
  return 0;
}

const char *const *ck_family_names(size_t *count) {
#define NAME(family, isa) #family,
  static const char *const names[] = {CK_FAMILIES(NAME, )};
#undef NAME
  *count = sizeof names / sizeof names[0];
  return names;
}
