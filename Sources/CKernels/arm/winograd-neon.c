#if defined(__aarch64__)
#include "../vector/neon.h"
#include "../vector/winograd.inc.h"
#endif
