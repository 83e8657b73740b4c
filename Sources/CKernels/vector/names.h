// ck_<family>_<instruction set>, after a vector header. Bodies live in vector/*.inc.h: each is one algorithm,
// compiled per instruction set by the small files in x86/ and arm/.
#pragma once
#define CK_JOIN(family, suffix) ck_##family##_##suffix
#define CK_EXPAND(family, suffix) CK_JOIN(family, suffix)
#define KERNEL(family) CK_EXPAND(family, CK_SUFFIX)
#ifdef CK_TARGET
#define CK_ENTRY __attribute__((target(CK_TARGET)))
#else
#define CK_ENTRY
#endif
INLINE size_t lanes_left(size_t n) { return n < LANES ? n : LANES; }
