#if defined(__x86_64__)
#include "../vector/avx2.h"
#include "../vector/pairs.inc.h"
#endif
