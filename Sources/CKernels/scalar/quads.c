// Weights in quads, of which no two neighbours' products leave 16 bits: 255 times what both add up to has to fit.
#include "../kernel.h"

#include <stdbool.h>

#include "../include/ck-layout.h"

// What two neighbours are too much by, 0 where they fit.
static int excess(int first, int second) {
  if (first > 0 && second > 0 && first + second > 128) return first + second - 128;
  if (first < 0 && second < 0 && first + second < -128) return first + second + 128;
  return 0;
}

uint32_t ck_s8_moving(uint32_t four) {
  int8_t weights[4];
  __builtin_memcpy(weights, &four, 4);
  for (int i = 0; i < 4; i += 2) {
    if (excess(weights[i], weights[i + 1]) == 0) weights[i + 1] = 0;
    weights[i] = 0;
  }
  __builtin_memcpy(&four, weights, 4);
  return four;
}

enum { most_columns = 32 };

typedef struct {
  size_t n, width, k;
  const int8_t *from;
  int8_t *out;
} packing;

// Every four weights have a quad, the last of which ends with the row and leaves to the one before it what that holds.
static size_t begin_of(const packing *s, size_t quad) { return quad * 4 + 4 <= s->k ? quad * 4 : s->k - 4; }

static int weight(const packing *s, size_t column, size_t quad, size_t place) {
  return place >= quad * 4 ? s->from[column * s->k + place] : 0;
}

// Two neighbours of a quad, the first at `place`.
static size_t place_of(const packing *s, size_t pair) { return begin_of(s, pair / 2) + pair % 2 * 2; }

static int pair_excess(const packing *s, size_t pair, size_t column) {
  const size_t place = place_of(s, pair);
  return excess(weight(s, column, pair / 2, place), weight(s, column, pair / 2, place + 1));
}

static bool has_excess(const packing *s, size_t pair) {
  for (size_t j = 0; j < s->n; j++) {
    if (pair_excess(s, pair, j) != 0) return true;
  }
  return false;
}

// What a pair is too much by goes into a quad that begins at `begin`, from either of the two: whichever place the quad
// reaches where it fits beside its neighbour there. False, and nothing done, where a column finds none.
static bool moves_into(const packing *s, size_t pair, size_t begin, int8_t quad[][4]) {
  const size_t place = place_of(s, pair);
  size_t slots[most_columns];
  for (size_t j = 0; j < s->n; j++) {
    const int e = pair_excess(s, pair, j);
    if (e == 0) continue;
    bool is_placed = false;
    for (size_t p = place; p < place + 2 && !is_placed; p++) {
      slots[j] = p - begin;
      is_placed = p >= begin && p < begin + 4 && excess(quad[j][slots[j] ^ 1], e) == 0;
    }
    if (!is_placed) return false;
  }
  for (size_t j = 0; j < s->n; j++) {
    const int e = pair_excess(s, pair, j);
    if (e == 0) continue;
    quad[j][slots[j]] = (int8_t)e;
    if (!s->out) continue;
    int8_t *from = s->out + (pair / 2 * s->width + j) * 4 + (begin + slots[j] - begin_of(s, pair / 2));
    *from = (int8_t)(*from - e);
  }
  return true;
}

static void write(const packing *s, size_t quad, int8_t weights[][4]) {
  for (size_t j = 0; j < s->width; j++) {
    for (size_t i = 0; i < 4; i++) s->out[(quad * s->width + j) * 4 + i] = j < s->n ? weights[j][i] : 0;
  }
}

size_t ck_s8_quads(size_t n, size_t width, size_t k, const int8_t *from, uint32_t *at, int8_t *out) {
  const packing s = {n, width, k, from, out};
  const size_t whole = (k + 3) / 4, pairs = 2 * whole;
  int8_t quad[most_columns][4];
  for (size_t q = 0; out && q < whole; q++) {
    at[q] = (uint32_t)begin_of(&s, q);
    for (size_t j = 0; j < n; j++) {
      for (size_t i = 0; i < 4; i++) quad[j][i] = (int8_t)weight(&s, j, q, at[q] + i);
    }
    write(&s, q, quad);
  }
  size_t quads = whole;
  for (size_t pair = 0; pair < pairs;) {
    if (!has_excess(&s, pair)) {
      pair++;
      continue;
    }
    // A quad that begins with a pair's second weight reaches three pairs.
    const size_t second = place_of(&s, pair) + 1, begin = second + 4 <= k ? second : k - 4;
    __builtin_memset(quad, 0, sizeof quad);
    while (pair < pairs && moves_into(&s, pair, begin, quad)) pair++;
    if (out) {
      at[quads] = (uint32_t)begin;
      write(&s, quads, quad);
    }
    quads++;
  }
  return quads;
}
