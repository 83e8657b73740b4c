#if defined(__aarch64__)
#include "../vector/neon.h"
#include "../vector/normalize.inc.h"
#endif
