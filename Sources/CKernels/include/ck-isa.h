// Instruction sets, and what a CPU must have to run them.
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef enum {
  ck_scalar = 0,
  ck_avx2 = 1,    // AVX2, FMA and F16C
  ck_avx512 = 2,  // AVX-512 F, BW, VL, DQ and VNNI, and all of the above
  ck_neon = 3,    // ARMv8 Advanced SIMD
} ck_isa;
#define CK_ISA_COUNT 4

// What a CPU has or a kernel needs: a union of these.
typedef enum {
  ck_has_avx2 = 1 << 0,
  ck_has_fma = 1 << 1,
  ck_has_f16c = 1 << 2,
  ck_has_avx512f = 1 << 3,
  ck_has_avx512bw = 1 << 4,
  ck_has_avx512vl = 1 << 5,
  ck_has_avx512dq = 1 << 6,
  ck_has_avx512vnni = 1 << 7,
  ck_has_avx512bf16 = 1 << 8,
  ck_has_neon = 1 << 9,
} ck_feature;
typedef uint32_t ck_features;

// What every kernel of the set may use; a row of the table may ask for more.
ck_features ck_isa_needs(ck_isa isa);
// Whether a CPU with these features runs the set.
bool ck_isa_runs(ck_isa isa, ck_features features);

// The features of the CPU this runs on. Nothing else in this room asks for them.
ck_features ck_host_features(void);
