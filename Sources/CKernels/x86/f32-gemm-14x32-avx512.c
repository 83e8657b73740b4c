#if defined(__x86_64__)
#define GEMM_ROWS 14
#include "../vector/avx512.h"
#include "../vector/f32-gemm.h"
#endif
