// Probabilities that learn, and how several become one: after PAQ and lpaq (Matt Mahoney, 2002 to 2007), in integers.
//
// A counter is a probability of 22 bits with a count of 10: each bit moves it by error / (count + 1.5), until the count
// stands still at a limit. Predictions are mixed in the logistic domain: with stretch(p) = ln(p / (1 - p)), the mixed
// one is squash(sum of weight * stretch(p)), and each weight moves by rate * error * stretch(p).
#pragma once
#include <string.h>

#include "range-coder.h"

/// stretch(p) has 8 bits behind the point and lies within these.
#define CP_STRETCH_LIMIT 2047
/// A weight of one.
#define CP_ONE 65536
/// The highest count there is.
#define CP_COUNT_LIMIT 1023
/// Most predictions that are mixed.
#define CP_INPUTS 7

/// Tables that follow from a few numbers; made when a stream begins.
typedef struct {
  /// By the upper 12 bits of a probability.
  int16_t stretch[4096];
  /// By stretch(p) + 2048: 16 bits.
  uint16_t squash[4096];
  /// 65536 / (n + 1.5).
  uint16_t rate[CP_COUNT_LIMIT + 1];
} cp_tables;

static inline void cp_make_tables(cp_tables *t) {
  // 65536 / (1 + exp(-x / 2)) for x from -16 to 16.
  static const uint16_t nodes[33] = {
    22,    36,    60,    98,    162,   267,   439,   720,   1179,  1921,  3108,
    4971,  7812,  11955, 17625, 24743, 32768, 40793, 47911, 53581, 57724, 60565,
    62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65500, 65514,
  };
  for (int x = 0; x < 4096; x++) {
    const int node = x >> 7, part = x & 127;
    t->squash[x] = (uint16_t)((nodes[node] * (128 - part) + nodes[node + 1] * part + 64) >> 7);
  }
  // The least x whose squash is as large.
  int at = 0;
  for (int x = 0; x < 4096; x++) {
    for (const int until = t->squash[x] >> 4; at <= until; at++) t->stretch[at] = (int16_t)(x - 2048);
  }
  for (; at < 4096; at++) t->stretch[at] = CP_STRETCH_LIMIT;
  t->stretch[0] = -CP_STRETCH_LIMIT;
  for (int n = 0; n <= CP_COUNT_LIMIT; n++) t->rate[n] = (uint16_t)(131072 / (2 * n + 3));
}

// MARK: Counters

typedef uint32_t cp_counter;

static inline void cp_reset_counters(cp_counter *counters, size_t count) {
  for (size_t i = 0; i < count; i++) counters[i] = (uint32_t)1 << 31;
}

static inline void cp_learn(const cp_tables *t, cp_counter *counter, int bit, uint32_t limit) {
  const uint32_t old = *counter, n = old & CP_COUNT_LIMIT;
  const int32_t p = (int32_t)(old >> 10), error = (bit << 22) - bit - p;
  const int32_t moved = p + (int32_t)((int64_t)error * t->rate[n] >> 16);
  *counter = (uint32_t)moved << 10 | (n < limit ? n + 1 : n);
}

/// A probability for the coder, 1 / 2048 and more from 0 and 1.
static inline uint32_t cp_probability(cp_counter counter) {
  const uint32_t p = counter >> 16;
  return p < 32 ? 32 : p > 65535 - 32 ? 65535 - 32 : p;
}

/// A bit by one counter alone.
static inline int cp_simple_bit(cp_coder *c, const cp_tables *t, cp_counter *counter, int bit, uint32_t limit) {
  bit = cp_code(c, cp_probability(*counter), bit);
  cp_learn(t, counter, bit, limit);
  return bit;
}

// MARK: Mixing

/// Weights of one mixing, and how often they have learned, up to a limit.
typedef struct {
  int32_t weight[CP_INPUTS];
  int32_t count;
} cp_weights;

/// All inputs count alike, and `share` sixteenths of one together.
static inline void cp_reset_weights(cp_weights *weights, size_t count, int inputs, int share) {
  for (size_t i = 0; i < count; i++) {
    weights[i].count = 0;
    for (int k = 0; k < CP_INPUTS; k++) weights[i].weight[k] = k < inputs ? CP_ONE * share / (16 * inputs) : 0;
  }
}

/// Learns 8 times as fast at first; so often at each of the three rates before the last one.
#define CP_EARLY 16

/// A bit by several counters, mixed; all of them learn. Without a coder the bit is known, and learned only.
///
/// - `rate`: weights move by error * stretch(p) / 2^rate in the end.
static inline __attribute__((always_inline)) int cp_mixed_bit(
  cp_coder *c, const cp_tables *t, cp_counter *const *counters, int inputs, cp_weights *w, int bit, uint32_t limit,
  int rate) {
  int32_t stretched[CP_INPUTS];
  int64_t sum = 0;
  for (int i = 0; i < inputs; i++) {
    stretched[i] = t->stretch[*counters[i] >> 20];
    sum += (int64_t)stretched[i] * w->weight[i];
  }
  const int64_t x = sum >> 16;
  const int32_t p = t->squash[2048 + (x > CP_STRETCH_LIMIT ? CP_STRETCH_LIMIT : x < -2048 ? -2048 : x)];
  if (c) bit = cp_code(c, (uint32_t)p, bit);
  const int32_t error = (bit << 16) - bit - p;
  const int shift = rate - 3 + w->count / CP_EARLY;
  w->count += w->count < 3 * CP_EARLY;
  for (int i = 0; i < inputs; i++) {
    // At most 2^27, and so is the half that rounds.
    const int32_t moved = w->weight[i] + ((stretched[i] * error + (1 << (shift - 1))) >> shift);
    w->weight[i] = moved > 8 * CP_ONE ? 8 * CP_ONE : moved < -8 * CP_ONE ? -8 * CP_ONE : moved;
    cp_learn(t, counters[i], bit, limit);
  }
  return bit;
}
