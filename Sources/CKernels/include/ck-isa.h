// Instruction sets, and which of them this machine runs.
#pragma once
#include <stdbool.h>

typedef enum {
  ck_scalar = 0,
  ck_avx2 = 1,    // AVX2, FMA and F16C
  ck_avx512 = 2,  // AVX-512 F, BW, VL, DQ and VNNI, and all of the above
  ck_neon = 3,    // ARMv8 Advanced SIMD
} ck_isa;

bool ck_isa_supported(ck_isa isa);
