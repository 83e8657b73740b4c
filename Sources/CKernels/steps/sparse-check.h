// What the checks of steps with sparse weights share (ck-sparse.h).
#pragma once
#include "check.h"

#include <string.h>

#include "ck-sparse.h"

// Whether each of two words' bytes is zero in one of them at least: they are the halves of one word.
static inline bool ck_are_halves(uint32_t a, uint32_t b) {
  for (int byte = 0; byte < 32; byte += 8) {
    if ((a >> byte & 0xFF) != 0 && (b >> byte & 0xFF) != 0) return false;
  }
  return true;
}

// Blocks follow each other in every array, so that all of them together are walked through once. A filter comes once in a
// block, and a row once in a filter, so that no sum has more products than the definition's.
//
// twice: whether a row may come twice in a filter, as halves.
static inline const char *ck_check_sparse(const ck_sparse_weights *w, const ck_operands *of, size_t outputs,
                                          bool twice) {
  const size_t blocks = ck_ceil(w->depth, CK_STRIP_ROWS);
  if (w->depth == 0 || w->parts == 0 || outputs > UINT16_MAX) return CK_BAD_NUMBER;
  if (!ck_holds(of, w->bounds, w->parts + 1, sizeof(uint32_t)) || w->places % sizeof(uint32_t) != 0 ||
      ck_plus(w->places, ck_times_3(w->parts, blocks, sizeof(ck_sparse_place))) > of->constant_bytes) {
    return CK_BEYOND_CONSTANTS;
  }
  const uint32_t *bounds = ck_constants_at(of, w->bounds);
  const ck_sparse_place *places = ck_constants_at(of, w->places);
  const ck_sparse_run *runs = ck_constants_at(of, w->runs);
  const uint16_t *filters = ck_constants_at(of, w->filters);
  const uint8_t *rows = ck_constants_at(of, w->rows);
  const uint32_t *values = ck_constants_at(of, w->values);
  uint8_t seen[UINT16_MAX / 8 + 1];
  size_t run = 0, filter = 0, weight = 0;
  if (bounds[0] != 0 || bounds[w->parts] != outputs) return CK_BAD_INDEX;
  for (size_t part = 0; part < w->parts; part++) {
    if (bounds[part] >= bounds[part + 1] || bounds[part + 1] > outputs) return CK_BAD_INDEX;
    for (size_t block = 0; block < blocks; block++, places++) {
      if (places->run != run || places->filter != filter || places->row != weight) return CK_BAD_INDEX;
      if (!ck_holds(of, w->runs, run + places->run_count, sizeof *runs)) return CK_BEYOND_CONSTANTS;
      memset(seen + bounds[part] / 8, 0, bounds[part + 1] / 8 - bounds[part] / 8 + 1);
      const size_t height = ck_min(CK_STRIP_ROWS, w->depth - block * CK_STRIP_ROWS), first = filter;
      for (const size_t end = run + places->run_count; run < end; run++) {
        const size_t count = runs[run].filters, nonzeros = runs[run].nonzeros;
        if (count == 0 || nonzeros > height * (twice ? 2 : 1)) return CK_BAD_INDEX;
        if (!ck_holds(of, w->filters, filter + count, sizeof *filters) ||
            !ck_holds(of, w->rows, weight + count * nonzeros, 1) ||
            !ck_holds(of, w->values, weight + count * nonzeros, 4)) {
          return CK_BEYOND_CONSTANTS;
        }
        for (const size_t stop = filter + count; filter < stop; filter++) {
          const size_t own = filters[filter], bit = (size_t)1 << own % 8;
          if (own < bounds[part] || own >= bounds[part + 1] || (seen[own / 8] & bit) != 0) return CK_BAD_INDEX;
          seen[own / 8] |= (uint8_t)bit;
          for (size_t i = 0; i < nonzeros; i++, weight++) {
            if (rows[weight] >= height || (i > 0 && rows[weight] < rows[weight - 1])) return CK_BAD_INDEX;
            const bool is_second = i > 0 && rows[weight] == rows[weight - 1];
            if (is_second && (!twice || (i > 1 && rows[weight] == rows[weight - 2]))) return CK_BAD_INDEX;
            if (is_second && !ck_are_halves(values[weight], values[weight - 1])) return CK_BAD_INDEX;
          }
        }
      }
      // The first block begins every sum.
      if (block == 0 && filter - first != bounds[part + 1] - bounds[part]) return CK_BAD_INDEX;
    }
  }
  return weight == w->nonzeros ? NULL : CK_BAD_INDEX;
}
