#include "steps/step.h"

#include "ck-panels.h"

ck_cut ck_cut_product(ck_cut_limits limits, size_t rows, size_t depth, size_t columns, size_t row_bytes,
                      size_t tile_rows, size_t panels, bool copies_rows) {
  ck_cut cut = {.rows = rows, .panels = panels};
  const size_t fitting = ck_max(limits.piece_bytes / ck_max(row_bytes, 1) / tile_rows, 1) * tile_rows;
  cut.work = ck_min(rows, (size_t)1 << 20) * ck_min(depth * columns, (size_t)1 << 40);
  const size_t pieces = ck_max(1, ck_min(limits.pieces, cut.work / limits.least_work));
  const size_t shared = ck_up(ck_ceil(rows, pieces), tile_rows);
  cut.most_rows = ck_min(ck_min(fitting, ck_up(rows, tile_rows)), limits.most_rows);
  cut.rows_per_piece = ck_min(shared, cut.most_rows);
  const size_t missing = ck_ceil(ck_ceil(pieces, 2), ck_ceil(rows, cut.rows_per_piece));
  const size_t fewest = copies_rows ? 4 : 1;
  cut.panels_per_piece = ck_max(ck_min(panels, fewest), ck_ceil(panels, missing));
  cut.count = ck_ceil(rows, cut.rows_per_piece) * ck_ceil(panels, cut.panels_per_piece);
  return cut;
}

ck_piece ck_cut_piece(const ck_cut *cut, size_t index) {
  const size_t across = ck_ceil(cut->panels, cut->panels_per_piece);
  const size_t row = index / across * cut->rows_per_piece, panel = index % across * cut->panels_per_piece;
  return (ck_piece){row, ck_min(row + cut->rows_per_piece, cut->rows), panel,
                    ck_min(panel + cut->panels_per_piece, cut->panels)};
}

size_t ck_panel_bytes(ck_panels panels, ck_storage storage) {
  const size_t columns = ck_padded_columns(panels);
  switch (storage) {
    case ck_as_float16: return columns * panels.k * sizeof(uint16_t);
    case ck_as_bfloat16: return columns * ck_ceil(panels.k, 2) * sizeof(uint32_t);
    default: return columns * panels.k * sizeof(float);
  }
}

// A block of k this long leaves a panel within the first two cache levels.
enum { depth_block = 512 };

// Where a block that begins at `first` ends: a short rest is taken along.
static size_t block(size_t first, size_t end) {
  return end - first < depth_block * 3 / 2 ? end - first : depth_block;
}

static void multiply_pairs(const ck_kernels *kernels, const ck_product *product, size_t rows, const uint32_t *a,
                           const uint32_t *weights, size_t first_panel, size_t end_panel, const float *start, float *c,
                           size_t ldc, ck_stop *stop) {
  const ck_panels p = product->panels;
  const size_t tile_rows = kernels->bf16_tile.rows, pairs = ck_ceil(p.k, 2);
  ck_pace pace = {stop, 0};
  for (size_t k0 = 0, depth; k0 < pairs; k0 += depth) {
    depth = block(k0, pairs);
    const bool is_last = k0 + depth == pairs;
    const float lo = is_last ? product->lo : -__builtin_inff(), hi = is_last ? product->hi : __builtin_inff();
    for (size_t panel = first_panel; panel < end_panel; panel++) {
      if (ck_pace_stops(&pace, rows * depth * 2)) return;
      const size_t width = ck_panel_width(p, panel), columns = ck_panel_columns(p, panel), column = panel * p.tile;
      const uint32_t *b = weights + column * pairs + k0 * width;
      const float *begin = k0 == 0 && start ? start + column : NULL;
      for (size_t row = 0; row < rows; row += tile_rows) {
        kernels->bf16_gemm(ck_min(tile_rows, rows - row), columns, depth, a + row * pairs + k0, pairs, 1, b, width,
                           begin, c + row * ldc + column, ldc, lo, hi);
      }
    }
  }
}

void ck_multiply(const ck_kernels *kernels, const ck_product *product, size_t rows, const float *a, size_t lda,
                 const void *weights, size_t first_panel, size_t end_panel, const float *start, uint32_t *pairs,
                 float *c, size_t ldc, ck_stop *stop) {
  const ck_panels p = product->panels;
  if (product->storage == ck_as_bfloat16) {
    kernels->bf16_rows(rows, p.k, a, lda, pairs);
    multiply_pairs(kernels, product, rows, pairs, weights, first_panel, end_panel, start, c, ldc, stop);
    return;
  }
  const size_t tile_rows = kernels->f32_tile.rows;
  ck_pace pace = {stop, 0};
  for (size_t k0 = 0, depth; k0 < p.k; k0 += depth) {
    depth = block(k0, p.k);
    const bool is_last = k0 + depth == p.k;
    const float lo = is_last ? product->lo : -__builtin_inff(), hi = is_last ? product->hi : __builtin_inff();
    for (size_t panel = first_panel; panel < end_panel; panel++) {
      if (ck_pace_stops(&pace, rows * depth)) return;
      const size_t width = ck_panel_width(p, panel), columns = ck_panel_columns(p, panel), column = panel * p.tile;
      const size_t offset = column * p.k + k0 * width;
      const float *begin = k0 == 0 && start ? start + column : NULL;
      for (size_t row = 0; row < rows; row += tile_rows) {
        const size_t m = ck_min(tile_rows, rows - row);
        float *target = c + row * ldc + column;
        if (product->storage == ck_as_float16) {
          kernels->f32_gemm_half(m, columns, depth, a + row * lda + k0, lda, (const uint16_t *)weights + offset, width,
                                 begin, target, ldc, lo, hi);
        } else if (product->by_columns) {
          kernels->f32_gemm_columns(m, columns, depth, a + row + k0 * lda, lda, (const float *)weights + offset, width,
                                    begin, target, ldc, lo, hi);
        } else {
          kernels->f32_gemm(m, columns, depth, a + row * lda + k0, lda, (const float *)weights + offset, width, begin,
                            target, ldc, lo, hi);
        }
      }
    }
  }
}
