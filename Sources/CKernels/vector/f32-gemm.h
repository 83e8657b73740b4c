// The float32 GEMM kernels of an instruction set; GEMM_ROWS is its tile height.
#include <stdbool.h>

#include "names.h"

enum { GEMM_AHEAD = 32 };

#define GEMM(x) f32_gemm_##x
#define GEMM_NAME KERNEL(f32_gemm)
#define B_TYPE float
#define B_LOAD vf_load
#define A_AT(a, r, p, lda) (a)[(r) * (lda) + (p)]
#include "f32-gemm.inc.h"

#define GEMM(x) f32_gemm_half_##x
#define GEMM_NAME KERNEL(f32_gemm_half)
#define B_TYPE uint16_t
#define B_LOAD vf_half
#define A_AT(a, r, p, lda) (a)[(r) * (lda) + (p)]
#include "f32-gemm.inc.h"

#define GEMM(x) f32_gemm_columns_##x
#define GEMM_NAME KERNEL(f32_gemm_columns)
#define B_TYPE float
#define B_LOAD vf_load
#define A_AT(a, r, p, lda) (a)[(p) * (lda) + (r)]
#include "f32-gemm.inc.h"

#include "f32-gemm-pixels.inc.h"
