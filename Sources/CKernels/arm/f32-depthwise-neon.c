#if defined(__aarch64__)
#include "../vector/neon.h"
#include "../vector/f32-depthwise.inc.h"
#endif
