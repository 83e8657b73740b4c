// Matrix products in pieces: how B is cut into panels, how the result is cut into pieces of work, and the loop over the
// tiles of a piece.
#pragma once
#include "ck-table.h"
#include "ck-threads.h"

// A matrix B (k, n) in panels of columns, each stored row by row, as the float kernels read it. All panels are `tile`
// columns wide, but for the last, which is padded to whole vectors only.
typedef struct {
  size_t n, k, tile, lanes;
} ck_panels;

static inline size_t ck_panel_count(ck_panels p) { return (p.n + p.tile - 1) / p.tile; }
// Columns of the panel that exist, and columns stored.
static inline size_t ck_panel_columns(ck_panels p, size_t panel) {
  return p.n - panel * p.tile < p.tile ? p.n - panel * p.tile : p.tile;
}
static inline size_t ck_panel_width(ck_panels p, size_t panel) {
  return (ck_panel_columns(p, panel) + p.lanes - 1) / p.lanes * p.lanes;
}
// All columns with their padding.
static inline size_t ck_padded_columns(ck_panels p) {
  const size_t last = ck_panel_count(p) - 1;
  return last * p.tile + ck_panel_width(p, last);
}

// How a matrix product is cut into pieces of work. Every output is computed whole within one piece, so the cut has no
// influence on the results.
typedef struct {
  size_t rows, rows_per_piece;
  size_t most_rows;  // a bound that only grows with the rows, so that scratch for one batch serves any smaller one
  size_t panels, panels_per_piece;
  size_t work;   // multiplications of the whole product
  size_t count;  // pieces
} ck_cut;

// What a cut aims at; a choice of the plan's.
typedef struct {
  size_t piece_bytes;  // what a piece's rows of A may take
  size_t most_rows;
  size_t pieces;       // so many, where there is work enough
  size_t least_work;   // multiplications of the least piece worth cutting off
} ck_cut_limits;

// A is (rows, depth), B (depth, columns). copies_rows: whether every piece first has to gather its rows, which makes
// splitting columns dear.
ck_cut ck_cut_product(ck_cut_limits limits, size_t rows, size_t depth, size_t columns, size_t row_bytes,
                      size_t tile_rows, size_t panels, bool copies_rows);
// Rows first_row..<end_row and panels alike.
typedef struct {
  size_t first_row, end_row, first_panel, end_panel;
} ck_piece;
ck_piece ck_cut_piece(const ck_cut *cut, size_t index);

// How packed panels hold their numbers.
typedef enum {
  ck_as_float32 = 0,
  ck_as_float16 = 1,   // widened as they are used
  ck_as_bfloat16 = 2,  // in pairs of rows; A is rounded as well (see ck-bf16.h)
} ck_storage;
// Bytes of all panels.
size_t ck_panel_bytes(ck_panels panels, ck_storage storage);

// What is multiplied for one piece: C (rows, n) = clamp(start + A B), for the columns of some panels.
typedef struct {
  ck_panels panels;
  ck_storage storage;
  bool by_columns;  // A(row, k) is at k * lda + row, not at row * lda + k
  float lo, hi;
} ck_product;

// C(row, column) is at row * ldc + column, columns counted from the matrix's first; `start` is padded as the panels
// are, NULL continues from C. `pairs` is scratch for A in bfloat16: rows * ceil(k / 2) of them.
void ck_multiply(const ck_kernels *kernels, const ck_product *product, size_t rows, const float *a, size_t lda,
                 const void *weights, size_t first_panel, size_t end_panel, const float *start, uint32_t *pairs,
                 float *c, size_t ldc, ck_stop *stop);
