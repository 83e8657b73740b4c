#if defined(__aarch64__)
#include "../vector/neon.h"
#include "../vector/sparse.inc.h"
#endif
