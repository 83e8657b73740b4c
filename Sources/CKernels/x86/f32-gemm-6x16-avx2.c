#if defined(__x86_64__)
#define GEMM_ROWS 6
#include "../vector/avx2.h"
#include "../vector/f32-gemm.h"
#endif
