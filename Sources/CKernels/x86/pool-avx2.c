#if defined(__x86_64__)
#include "../vector/avx2.h"
#include "../vector/pool.inc.h"
#endif
