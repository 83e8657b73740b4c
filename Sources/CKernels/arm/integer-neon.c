#if defined(__aarch64__)
#include "../vector/neon.h"
#include "../vector/integer.inc.h"
#endif
