#if defined(__aarch64__)
#include "../vector/neon.h"
#include "../vector/pool.inc.h"
#endif
