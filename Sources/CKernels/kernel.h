// What every source in this room includes before anything else.
#pragma once

// Sums and products are rounded one by one unless the contract says fused; a compiler that joins them by itself gives
// other bits. (Clang obeys the pragma; GCC knows only -ffp-contract=off, which Tests/KernelChecks/neon.sh gives it.)
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#pragma clang diagnostic warning "-Wall"
#pragma clang diagnostic warning "-Wextra"
#endif

#include "include/ck-table.h"

// Every kernel of every row, whatever this build defines: a definition that differs does not compile.
#define DECLARATION(function, suffix) ck_##function##_fn ck_##function##_##suffix;
#define ROW(family, set, suffix, features, size) CK_##family(DECLARATION, suffix)
#include "rows.inc.h"
#undef ROW
#undef DECLARATION
