#if defined(__x86_64__)
#include "../vector/avx512.h"
#include "../vector/f32-depthwise.inc.h"
#endif
