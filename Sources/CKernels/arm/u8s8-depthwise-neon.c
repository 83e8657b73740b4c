#if defined(__aarch64__)
#include "../vector/neon.h"
#include "../vector/u8s8-depthwise.inc.h"
#endif
