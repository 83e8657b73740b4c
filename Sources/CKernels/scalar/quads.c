// Weights in quads, of which no two neighbours' products leave 16 bits.
#include "../kernel.h"

#include <stdbool.h>

#include "../include/ck-layout.h"

// The last quad ends with the row.
static size_t begin_of(size_t p, size_t k) { return p + 4 <= k ? p : k - 4; }

static bool leave_16_bits(int first, int second) {
  return (first > 0 && second > 0 && first + second > 128) || (first < 0 && second < 0 && first + second < -128);
}

// Whether the weight at `place` of a column cannot stay beside the one before it: 255 times both is beyond 16 bits.
static bool moves(const int8_t *column, size_t k, size_t place) {
  const size_t p = place / 4 * 4;
  if (place == p || (place - begin_of(p, k)) % 2 == 0) return false;
  return leave_16_bits(column[place - 1], column[place]);
}

uint32_t ck_s8_moving(uint32_t four) {
  int8_t weights[4];
  __builtin_memcpy(weights, &four, 4);
  for (int i = 0; i < 4; i += 2) {
    if (!leave_16_bits(weights[i], weights[i + 1])) weights[i + 1] = 0;
    weights[i] = 0;
  }
  __builtin_memcpy(&four, weights, 4);
  return four;
}

static bool any_moves(size_t n, size_t k, const int8_t *from, size_t place) {
  for (size_t j = 0; j < n; j++) {
    if (moves(from + j * k, k, place)) return true;
  }
  return false;
}

size_t ck_s8_quads(size_t n, size_t width, size_t k, const int8_t *from, uint32_t *at, int8_t *out) {
  size_t quads = 0;
  for (size_t p = 0; p < k; p += 4, quads++) {
    if (!out) continue;
    const size_t begin = begin_of(p, k), end = p + 4 < k ? p + 4 : k;
    at[quads] = (uint32_t)begin;
    int8_t *quad = out + quads * width * 4;
    for (size_t i = 0; i < width * 4; i++) quad[i] = 0;
    for (size_t j = 0; j < n; j++) {
      for (size_t place = p; place < end; place++) {
        if (!moves(from + j * k, k, place)) quad[j * 4 + place - begin] = from[j * k + place];
      }
    }
  }
  // What moved meets its activations in quads that hold no two neighbours.
  for (size_t place = 0; place < k;) {
    if (!any_moves(n, k, from, place)) {
      place++;
      continue;
    }
    const size_t begin = begin_of(place, k);
    int8_t *quad = out ? out + quads * width * 4 : NULL;
    if (quad) {
      at[quads] = (uint32_t)begin;
      for (size_t i = 0; i < width * 4; i++) quad[i] = 0;
    }
    for (; place < begin + 4; place += 2) {
      for (size_t j = 0; quad && j < n; j++) {
        if (moves(from + j * k, k, place)) quad[j * 4 + place - begin] = from[j * k + place];
      }
      // A neighbour that moves as well has to wait for the next quad.
      if (place + 1 < begin + 4 && any_moves(n, k, from, place + 1)) break;
    }
    place += place < begin + 4 ? 1 : 0;
    quads++;
  }
  return quads;
}
