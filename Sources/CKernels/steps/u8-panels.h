// Products of two values of codes: the second is packed as the weights of integer kernels are, 128 lower.
#pragma once
#include "step.h"

#include "ck-layout.h"
#include "ck-panels.h"

// Scratch does not know the instruction set: as much as the widest tile needs.
#define CK_MOST_COLUMNS ((size_t)64)
#define CK_MOST_ROWS ((size_t)16)
// So many products of two codes, and differences of two such sums, fit 32 bits.
#define CK_MOST_PRODUCTS ((size_t)1 << 14)
// What is taken off a code, so that a signed byte holds it.
#define CK_CODE_MIDDLE 128

static inline size_t ck_u8_packed_bytes(size_t n, size_t k) {
  return ck_aligned(ck_up(n, CK_MOST_COLUMNS) * ck_up(k, 4));
}

static inline ck_panels ck_u8_panels(const ck_kernels *kernels, size_t n, size_t k) {
  return (ck_panels){n, k, kernels->u8_tile.columns, kernels->u8_tile.lanes};
}
static inline size_t ck_u8_tile_rows(const ck_kernels *kernels) { return ck_min(kernels->u8_tile.rows, CK_MOST_ROWS); }

// One panel of B, B(p, j) being from[j * column_step + p * row_step]; sums receive those of its columns.
static inline void ck_u8_pack_panel(ck_panels p, size_t panel, const uint8_t *from, size_t column_step,
                                    size_t row_step, int8_t *packed, int32_t *sums) {
  const size_t first = panel * p.tile;
  ck_u8_pack(ck_panel_columns(p, panel), ck_panel_width(p, panel), p.k, from + first * column_step, column_step,
             row_step, packed + first * ck_up(p.k, 4), sums + first);
}

// Sums of a few rows, by all panels: sums (rows, n), ld being n rounded up to whole tiles or more.
static inline void ck_u8_multiply(const ck_kernels *kernels, ck_panels p, size_t rows, const uint8_t *a, size_t lda,
                                  const int8_t *packed, int32_t *sums, size_t ld) {
  for (size_t panel = 0; panel < ck_panel_count(p); panel++) {
    const size_t first = panel * p.tile;
    kernels->u8s8_gemm(rows, ck_panel_columns(p, panel), p.k, a, lda, packed + first * ck_up(p.k, 4),
                       ck_panel_width(p, panel), sums + first, ld);
  }
}

// The sum of n codes.
static inline int32_t ck_u8_sum(size_t n, const uint8_t *a) {
  int32_t sum = 0;
  for (size_t i = 0; i < n; i++) sum += a[i];
  return sum;
}
