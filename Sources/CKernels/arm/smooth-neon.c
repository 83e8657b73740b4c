#if defined(__aarch64__)
#include "../vector/neon.h"
#include "../vector/smooth.inc.h"
#endif
