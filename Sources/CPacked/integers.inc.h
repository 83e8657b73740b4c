// Integers, bit by bit: whether it is zero, how many binary digits its magnitude has (its class, as LZMA has slots of
// distances), its sign, and the digits below the first.
#pragma once
#include "surroundings.inc.h"

/// Models of integers: narrow ones have classes 1 to 8, wide ones 1 to 32.
typedef struct {
  cp_zeros zeros;
  cp_counter class_alone[64], class_by_row[32][64], class_by_channel[32][9][16], class_by_neighbours[9][9][16];
  cp_weights class_weights[64];
  cp_counter sign[3];
  cp_counter upper_digits[33][33][4], lower_digits[33][80];
} cp_integers;

static inline void cp_integers_begin(cp_integers *m) {
  cp_zeros_begin(&m->zeros);
  cp_reset_counters(m->class_alone, 64);
  cp_reset_counters(m->class_by_row[0], 32 * 64);
  cp_reset_counters(m->class_by_channel[0][0], 32 * 9 * 16);
  cp_reset_counters(m->class_by_neighbours[0][0], 9 * 9 * 16);
  cp_reset_weights(m->class_weights, 64, 4, 16);
  cp_reset_counters(m->sign, 3);
  cp_reset_counters(m->upper_digits[0][0], 33 * 33 * 4);
  cp_reset_counters(m->lower_digits[0], 33 * 80);
}

static inline uint32_t cp_digits(uint32_t magnitude) {
  return magnitude == 0 ? 0 : 32 - (uint32_t)__builtin_clz(magnitude);
}

static inline int32_t cp_load(const cp_piece *piece, int kind, uint64_t i) {
  return kind == cp_int8    ? ((const int8_t *)piece->values)[i]
         : kind == cp_uint8 ? ((const uint8_t *)piece->values)[i]
                            : ((const int32_t *)piece->values)[i];
}

static inline void cp_store(const cp_piece *piece, int kind, uint64_t i, int32_t value) {
  if (kind == cp_int8) {
    ((int8_t *)piece->values)[i] = (int8_t)value;
  } else if (kind == cp_uint8) {
    ((uint8_t *)piece->values)[i] = (uint8_t)value;
  } else {
    ((int32_t *)piece->values)[i] = value;
  }
}

/// A number from 1 to 2^depth, as a tree of bits.
static inline __attribute__((always_inline)) uint32_t cp_code_class(
  cp_coder *c, const cp_tables *t, cp_integers *m, const cp_walk *w, int depth, uint32_t given) {
  // Trees of both depths side by side.
  const uint32_t tree = depth == 5 ? 32 : 0;
  const uint32_t by_row = cp_least(w->size >> 7, 31), by_channel = cp_least(w->channels[w->channel].size >> 7, 31);
  const uint32_t above = cp_least(w->above, 8), before = cp_least(w->before, 8);
  const uint32_t tap_before = cp_least(w->tap_before, 8);
  uint32_t node = 1;
  for (int level = depth - 1; level >= 0; level--) {
    cp_counter *const counters[4] = {
      &m->class_alone[tree | node],
      &m->class_by_row[by_row][tree | node],
      &m->class_by_channel[by_channel][above][node & 15],
      &m->class_by_neighbours[before][tap_before][node & 15],
    };
    const int bit = (int)((given - 1) >> level & 1);
    node = node << 1 | (uint32_t)cp_mixed_bit(c, t, counters, 4, &m->class_weights[tree | node], bit, 127, 15);
  }
  return node - ((uint32_t)1 << depth) + 1;
}

/// A magnitude of so many digits.
static inline __attribute__((always_inline)) uint32_t cp_code_digits(
  cp_coder *c, const cp_tables *t, cp_integers *m, const cp_walk *w, uint32_t class_, uint32_t given) {
  cp_counter(*const upper)[4] = &m->upper_digits[class_][cp_least(w->size >> 8, 32)];
  cp_counter *const lower = m->lower_digits[class_];
  uint32_t magnitude = 1;
  for (int digit = (int)class_ - 2; digit >= 0; digit--) {
    const int bit = (int)(given >> digit & 1);
    if (magnitude < 4) {
      magnitude = magnitude << 1 | (uint32_t)cp_simple_bit(c, t, &(*upper)[magnitude], bit, 60);
    } else {
      // Those of large ones hardly depend on what stands before, unless that is all ones: the largest is frequent.
      const uint32_t is_largest = (magnitude & (magnitude + 1)) == 0;
      cp_counter *const counter = lower + (magnitude < 8 ? magnitude : 16 + 2 * (uint32_t)digit + is_largest);
      magnitude = magnitude << 1 | (uint32_t)cp_simple_bit(c, t, counter, bit, 400);
    }
  }
  return magnitude;
}

static inline __attribute__((always_inline)) void cp_code_integers(
  cp_coder *c, const cp_tables *t, cp_integers *m, cp_walk *walk, const cp_piece *piece, const int kind) {
  cp_walk w = *walk;
  uint32_t sign_before = 0;
  uint32_t offset = 0;
  for (uint64_t i = 0; i < piece->count; i++) {
    cp_walk_step(&w, piece);
    if (piece->offset_count > 0) offset = (uint32_t)(int32_t)piece->offsets[piece->offset_count == 1 ? 0 : w.row_index];
#ifdef CP_ENCODING
    const uint32_t given = (uint32_t)cp_load(piece, kind, i) - offset;
    const int is_negative = given >> 31 != 0;
    const uint32_t magnitude = is_negative ? 0 - given : given, given_class = cp_digits(magnitude);
#else
    const int is_negative = 0;
    const uint32_t magnitude = 0, given_class = 0;
#endif
    uint32_t value = 0, class_ = 0;
    if (cp_code_zero(c, t, &m->zeros, &w, given_class != 0)) {
      class_ = cp_code_class(c, t, m, &w, kind == cp_int32 ? 5 : 3, given_class);
      const int sign = cp_simple_bit(c, t, &m->sign[sign_before], is_negative, 255);
      sign_before = (uint32_t)sign + 1;
      value = cp_code_digits(c, t, m, &w, class_, magnitude);
      if (sign) value = 0 - value;
    }
#ifndef CP_ENCODING
    cp_store(piece, kind, i, (int32_t)(value + offset));
#else
    (void)value;
#endif
    cp_walk_past(&w, class_);
  }
}
