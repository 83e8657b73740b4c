#if defined(__aarch64__)
#include "../vector/neon.h"
#include "../vector/pairs.inc.h"
#endif
