#include "rans.h"

#include <string.h>

/// One table: by the lower bits of a state the symbol, and by symbol its frequency and where its values begin.
typedef struct {
  uint8_t symbols[CP_RANS_TOTAL];
  struct {
    uint16_t frequency, start;
  } of[256];
} cp_slots;

typedef struct {
  cp_slots slots[CP_TABLES];
  int32_t frequencies[CP_TABLES][256];
} cp_rans_models;

static size_t cp_aligned(size_t size) { return (size + 15) & ~(size_t)15; }

size_t cp_rans_workspace(const cp_piece *piece) {
  cp_piece pieces[2];
  const size_t count = cp_rans_head(pieces, piece, CP_TABLES, NULL, NULL);
  return sizeof(cp_rans_models) + cp_aligned(cp_rows(piece)) + cp_mixed_workspace(pieces, count);
}

static int cp_fill_slots(cp_slots *slots, const int32_t *frequencies) {
  uint32_t at = 0;
  for (uint32_t symbol = 0; symbol < 256; symbol++) {
    const int32_t frequency = frequencies[symbol];
    if (frequency < 0 || frequency > (int32_t)(CP_RANS_TOTAL - at)) return 0;
    memset(slots->symbols + at, (int)symbol, (size_t)frequency);
    slots->of[symbol].frequency = (uint16_t)frequency;
    slots->of[symbol].start = (uint16_t)at;
    at += (uint32_t)frequency;
  }
  return at == CP_RANS_TOTAL;
}

typedef struct {
  uint32_t state[CP_LANES];
  const uint8_t *next, *end;
} cp_lanes;

static inline __attribute__((always_inline)) uint8_t cp_take(cp_lanes *l, int lane, const cp_slots *slots) {
  uint32_t state = l->state[lane];
  const uint32_t value = state & (CP_RANS_TOTAL - 1);
  const uint8_t symbol = slots->symbols[value];
  state = slots->of[symbol].frequency * (state >> CP_RANS_BITS) + value - slots->of[symbol].start;
  if (state < CP_RANS_LOW) {
    // Behind the last word there are zeros.
    uint32_t word = 0;
    if (l->end - l->next >= 2) {
      word = (uint32_t)l->next[0] | (uint32_t)l->next[1] << 8;
      l->next += 2;
    }
    state = state << 16 | word;
  }
  l->state[lane] = state;
  return symbol;
}

int cp_rans_decode(const cp_piece *piece, void *workspace, const uint8_t *bytes, size_t size) {
  cp_rans_models *const m = workspace;
  uint8_t *const rows = (uint8_t *)(m + 1);
  void *const rest = rows + cp_aligned(cp_rows(piece));
  const size_t element = cp_element_size(piece->kind);
  if (size < CP_RANS_PREFIX + 4 * CP_LANES) return 0;
  const uint32_t tables = (uint32_t)bytes[0] + 1;
  const size_t head = (size_t)bytes[1] | (size_t)bytes[2] << 8 | (size_t)bytes[3] << 16 | (size_t)bytes[4] << 24;
  if (tables > CP_TABLES || (element > 1 && tables != 2 * element)) return 0;
  if (head > size - CP_RANS_PREFIX - 4 * CP_LANES) return 0;
  cp_piece pieces[2];
  const size_t count = cp_rans_head(pieces, piece, tables, m->frequencies[0], rows);
  cp_mixed_decode(pieces, count, rest, bytes + CP_RANS_PREFIX, head, NULL);
  for (uint32_t i = 0; i < tables; i++) {
    if (!cp_fill_slots(&m->slots[i], m->frequencies[i])) return 0;
  }
  cp_lanes l = {.next = bytes + CP_RANS_PREFIX + head, .end = bytes + size};
  for (int lane = 0; lane < CP_LANES; lane++, l.next += 4) {
    l.state[lane] =
      (uint32_t)l.next[0] | (uint32_t)l.next[1] << 8 | (uint32_t)l.next[2] << 16 | (uint32_t)l.next[3] << 24;
  }
  uint8_t *out = piece->values;
  if (element == 1) {
    uint64_t in_row = piece->first % piece->row, done = 0;
    uint32_t lane = 0;
    for (uint64_t row = 0; done < piece->count; row++, in_row = 0) {
      if (rows[row] >= tables) return 0;
      const cp_slots *const slots = &m->slots[rows[row]];
      const uint64_t left = piece->count - done, wanted = piece->row - in_row;
      uint64_t n = left < wanted ? left : wanted;
      done += n;
      for (; lane != 0 && n > 0; n--, lane = (lane + 1) % CP_LANES) *out++ = cp_take(&l, (int)lane, slots);
      for (; n >= CP_LANES; n -= CP_LANES, out += CP_LANES) {
        for (int i = 0; i < CP_LANES; i++) out[i] = cp_take(&l, i, slots);
      }
      for (; n > 0; n--, lane = (lane + 1) % CP_LANES) *out++ = cp_take(&l, (int)lane, slots);
    }
  } else {
    uint32_t lane = 0;
    for (uint64_t i = 0; i < piece->count; i++, out += element) {
      uint32_t table = 0;
      for (size_t place = element; place-- > 0; lane = (lane + 1) % CP_LANES) {
        out[place] = cp_take(&l, (int)lane, &m->slots[table]);
        table = 2 * (uint32_t)(element - place) + (out[element - 1] == 0);
      }
    }
  }
  return 1;
}
