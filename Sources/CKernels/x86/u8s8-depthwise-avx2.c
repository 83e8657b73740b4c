#if defined(__x86_64__)
#include "../vector/avx2.h"
#include "../vector/u8s8-depthwise.inc.h"
#endif
