// What the steps share: aligned memory out of scratch, and small arithmetic.
#pragma once
#include "../kernel.h"

#include "ck-step.h"

#define CK_ALIGNMENT ((size_t)64)
// Elements that a thread takes at a time of what is computed element by element.
#define CK_PIECE ((size_t)1 << 14)
// For ck_share: whatever the workers' threshold, the loop is worth sharing out.
#define CK_ALWAYS SIZE_MAX

static inline size_t ck_min(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t ck_max(size_t a, size_t b) { return a > b ? a : b; }
static inline size_t ck_up(size_t n, size_t to) { return (n + to - 1) / to * to; }
static inline size_t ck_ceil(size_t n, size_t by) { return (n + by - 1) / by; }
static inline size_t ck_aligned(size_t bytes) { return ck_up(bytes, CK_ALIGNMENT); }
// Bytes to ask for so that `bytes` fit whatever the alignment of the scratch.
static inline size_t ck_padded(size_t bytes) { return bytes == 0 ? 0 : bytes + CK_ALIGNMENT; }

// From one row of floats to the next: a cache line more where rows would begin at the same place of their pages, and so
// meet in the same few sets of the first cache level.
static inline size_t ck_pitch(size_t floats) {
  return floats > 0 && floats * sizeof(float) % 4096 == 0 ? floats + CK_ALIGNMENT / sizeof(float) : floats;
}

static inline char *ck_scratch_start(void *scratch) {
  return (char *)(((uintptr_t)scratch + CK_ALIGNMENT - 1) & ~(uintptr_t)(CK_ALIGNMENT - 1));
}

// The next aligned piece of scratch.
static inline void *ck_take(char **next, size_t bytes) {
  char *piece = *next;
  *next += ck_aligned(bytes);
  return piece;
}

static inline const void *ck_constant(const ck_call *call, size_t offset) {
  return (const char *)call->constants + offset;
}
