#include "rans.h"

#include <string.h>

typedef struct {
  uint64_t counts[CP_TABLES][256];
  int32_t frequencies[CP_TABLES][256];
  uint32_t starts[CP_TABLES][256];
} cp_rans_tables;

static uint32_t cp_log2(uint64_t n) { return 63 - (uint32_t)__builtin_clzll(n); }

/// log2 of n, 8 bits behind the point, a straight line between powers of two.
static uint64_t cp_log(uint64_t n) {
  const uint32_t whole = cp_log2(n);
  return ((uint64_t)whole << 8) + ((whole >= 8 ? n >> (whole - 8) : n << (8 - whole)) - 256);
}

/// About how many bits so many of each symbol take, table included.
static uint64_t cp_estimate(const uint64_t *counts) {
  uint64_t total = 0, bits = 0;
  for (int i = 0; i < 256; i++) total += counts[i];
  if (total == 0) return 0;
  for (int i = 0; i < 256; i++) {
    if (counts[i] > 0) bits += (counts[i] * (cp_log(total) - cp_log(counts[i])) >> 8) + 7;
  }
  return bits;
}

/// Frequencies that add up to the total, at least one for each symbol there is; what is over goes to the most frequent.
static void cp_normalize(const uint64_t *counts, int32_t *frequencies, uint32_t *starts) {
  uint64_t total = 0;
  int most = 0;
  for (int i = 0; i < 256; i++) {
    total += counts[i];
    if (counts[i] > counts[most]) most = i;
  }
  int32_t left = CP_RANS_TOTAL;
  for (int i = 0; i < 256; i++) {
    frequencies[i] = 0;
    if (counts[i] > 0) {
      // Counts are below 2^48, as pieces are.
      const uint64_t share = ((counts[i] << (CP_RANS_BITS + 1)) / total + 1) >> 1;
      frequencies[i] = share == 0 ? 1 : (int32_t)share;
    }
    left -= frequencies[i];
  }
  // Of a table with no symbol the first one is as good as any.
  frequencies[most] += left > 0 ? left : 0;
  for (; left < 0;) {
    for (int i = 0; i < 256 && left < 0; i++) {
      const int32_t spare = frequencies[i] / 8 < -left ? frequencies[i] / 8 : -left;
      const int32_t taken = frequencies[i] > 1 && spare == 0 && frequencies[i] >= 2 ? 1 : spare;
      frequencies[i] -= taken;
      left += taken;
    }
  }
  uint32_t start = 0;
  for (int i = 0; i < 256; i++) {
    starts[i] = start;
    start += (uint32_t)frequencies[i];
  }
}

/// What rows are sorted by: the sum of the magnitudes of what stands in them, by their mean.
static uint32_t cp_row_size(const cp_piece *piece, const uint8_t *bytes, uint64_t n, uint64_t row) {
  uint64_t sum = 0;
  const uint32_t offset =
    piece->offset_count == 0 ? 0 : (uint32_t)(int32_t)piece->offsets[piece->offset_count == 1 ? 0 : row];
  for (uint64_t i = 0; i < n; i++) {
    const uint32_t value = (piece->kind == cp_int8 ? (uint32_t)(int32_t)(int8_t)bytes[i] : bytes[i]) - offset;
    sum += value >> 31 ? 0 - value : value;
  }
  return (uint32_t)((sum << 8) / n);
}

/// Where a row lies in its piece.
static uint64_t cp_row_begin(const cp_piece *piece, uint64_t row) {
  const uint64_t skipped = piece->first % piece->row;
  return row == 0 ? 0 : row * piece->row - skipped;
}

static uint64_t cp_row_end(const cp_piece *piece, uint64_t row) {
  const uint64_t end = (row + 1) * piece->row - piece->first % piece->row;
  return end < piece->count ? end : piece->count;
}

/// Gives rows of like size the same table, as many tables as pay; returns how many.
static uint32_t cp_share_out(const cp_piece *piece, cp_rans_tables *t, uint8_t *rows) {
  const uint8_t *const bytes = piece->values;
  const uint64_t count = cp_rows(piece);
  uint32_t best = 1;
  uint64_t least = UINT64_MAX;
  // By the binary digits of their size: finer for more tables, then as few as there are.
  enum { sizes = 128 };
  uint64_t elements[sizes];
  memset(elements, 0, sizeof elements);
  for (uint64_t row = 0; row < count; row++) {
    const uint64_t begin = cp_row_begin(piece, row), n = cp_row_end(piece, row) - begin;
    const uint32_t size = cp_row_size(piece, bytes + begin, n, piece->first / piece->row + row);
    const uint64_t level = cp_log((uint64_t)size + 1) >> 5;
    rows[row] = (uint8_t)(level < sizes ? level : sizes - 1);
    elements[rows[row]] += n;
  }
  uint8_t table_of[4][sizes];
  for (uint32_t choice = 0; choice < 4; choice++) {
    const uint32_t tables = 1u << choice;
    // Levels in order, until a table has its share of the elements.
    uint64_t so_far = 0;
    for (int level = 0; level < sizes; level++) {
      const uint64_t middle = so_far + elements[level] / 2;
      table_of[choice][level] = (uint8_t)(piece->count == 0 ? 0 : middle * tables / (piece->count + 1));
      so_far += elements[level];
    }
    memset(t->counts, 0, sizeof t->counts);
    for (uint64_t row = 0; row < count; row++) {
      uint64_t *const counts = t->counts[table_of[choice][rows[row]]];
      for (uint64_t i = cp_row_begin(piece, row), end = cp_row_end(piece, row); i < end; i++) counts[bytes[i]]++;
    }
    uint64_t bits = choice * count;
    for (uint32_t i = 0; i < tables; i++) bits += cp_estimate(t->counts[i]);
    if (bits < least) {
      least = bits;
      best = choice;
    }
    if (piece->count < (uint64_t)1 << (14 + choice)) break;
  }
  memset(t->counts, 0, sizeof t->counts);
  for (uint64_t row = 0; row < count; row++) {
    rows[row] = table_of[best][rows[row]];
    uint64_t *const counts = t->counts[rows[row]];
    for (uint64_t i = cp_row_begin(piece, row), end = cp_row_end(piece, row); i < end; i++) counts[bytes[i]]++;
  }
  return 1u << best;
}

/// Codes from the last symbol to the first, from the end of the output towards its beginning.
typedef struct {
  uint32_t state[CP_LANES];
  uint8_t *out, *begin;
  uint64_t symbol;
  int is_full;
} cp_rans_writer;

static inline void cp_put(cp_rans_writer *w, const cp_rans_tables *t, uint32_t table, uint8_t symbol) {
  const uint32_t frequency = (uint32_t)t->frequencies[table][symbol], lane = (uint32_t)(--w->symbol % CP_LANES);
  uint32_t state = w->state[lane];
  if ((uint64_t)state >= (uint64_t)frequency << (32 - CP_RANS_BITS)) {
    if (w->out - w->begin < 2) {
      w->is_full = 1;
      return;
    }
    *--w->out = (uint8_t)(state >> 8);
    *--w->out = (uint8_t)state;
    state >>= 16;
  }
  w->state[lane] = (state / frequency << CP_RANS_BITS) + state % frequency + t->starts[table][symbol];
}

size_t cp_rans_encode(const cp_piece *piece, void *workspace, uint8_t *out, size_t capacity) {
  cp_rans_tables *const t = workspace;
  uint8_t *const rows = (uint8_t *)(t + 1);
  const uint64_t row_count = cp_rows(piece);
  void *const rest = rows + ((row_count + 15) & ~(uint64_t)15);
  const size_t element = cp_element_size(piece->kind);
  const uint8_t *const bytes = piece->values;
  uint32_t tables;
  if (capacity <= CP_RANS_PREFIX + 4 * CP_LANES) return 0;
  if (element == 1) {
    tables = cp_share_out(piece, t, rows);
  } else {
    tables = 2 * (uint32_t)element;
    memset(t->counts, 0, sizeof t->counts);
    for (uint64_t i = 0; i < piece->count; i++) {
      const uint8_t *const at = bytes + i * element;
      uint32_t table = 0;
      for (size_t place = element; place-- > 0;) {
        t->counts[table][at[place]]++;
        table = 2 * (uint32_t)(element - place) + (at[element - 1] == 0);
      }
    }
  }
  for (uint32_t i = 0; i < tables; i++) cp_normalize(t->counts[i], t->frequencies[i], t->starts[i]);
  cp_piece pieces[2];
  const size_t count = cp_rans_head(pieces, piece, tables, t->frequencies[0], rows);
  const size_t head =
    cp_mixed_encode(pieces, count, rest, out + CP_RANS_PREFIX, capacity - CP_RANS_PREFIX - 4 * CP_LANES, NULL);
  if (head == 0 || head > UINT32_MAX) return 0;
  out[0] = (uint8_t)(tables - 1);
  for (int i = 0; i < 4; i++) out[1 + i] = (uint8_t)(head >> (8 * i));
  uint8_t *const states = out + CP_RANS_PREFIX + head;

  cp_rans_writer w = {
    .out = out + capacity, .begin = states + 4 * CP_LANES, .symbol = piece->count * element, .is_full = 0};
  for (int lane = 0; lane < CP_LANES; lane++) w.state[lane] = CP_RANS_LOW;
  if (element == 1) {
    for (uint64_t row = row_count; row-- > 0 && !w.is_full;) {
      for (uint64_t i = cp_row_end(piece, row), begin = cp_row_begin(piece, row); i-- > begin && !w.is_full;) {
        cp_put(&w, t, rows[row], bytes[i]);
      }
    }
  } else {
    for (uint64_t i = piece->count; i-- > 0 && !w.is_full;) {
      const uint8_t *const at = bytes + i * element;
      for (size_t place = 0; place < element; place++) {
        const uint32_t after = (uint32_t)(element - 1 - place);
        cp_put(&w, t, after == 0 ? 0 : 2 * after + (at[element - 1] == 0), at[place]);
      }
    }
  }
  if (w.is_full) return 0;
  for (int lane = 0; lane < CP_LANES; lane++) {
    for (int i = 0; i < 4; i++) states[4 * lane + i] = (uint8_t)(w.state[lane] >> (8 * i));
  }
  const size_t words = (size_t)(out + capacity - w.out);
  memmove(states + 4 * CP_LANES, w.out, words);
  return CP_RANS_PREFIX + head + 4 * CP_LANES + words;
}
