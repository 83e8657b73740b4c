#if defined(__aarch64__)
#define GEMM_ROWS 8
#include "../vector/neon.h"
#include "../vector/f32-gemm.h"
#endif
