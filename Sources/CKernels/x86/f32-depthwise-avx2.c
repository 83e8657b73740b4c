#if defined(__x86_64__)
#include "../vector/avx2.h"
#include "../vector/f32-depthwise.inc.h"
#endif
