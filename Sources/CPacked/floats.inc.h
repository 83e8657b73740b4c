// Floats, bit by bit: whether it is zero (all its bits are), whether it is the one that came before, its sign, its
// exponent as a tree of bits, and its fraction. What lies below the first ten bits of a fraction is often zero, of
// floats that were shorter once; otherwise it is as good as random, and so is what lies below the first three.
#pragma once
#include "surroundings.inc.h"

typedef struct {
  cp_zeros zeros;
  cp_counter same[2], sign, exponent[CP_CLASSES][256], fraction[8], has_rest[2];
} cp_floats;

static inline void cp_floats_begin(cp_floats *m) {
  cp_zeros_begin(&m->zeros);
  cp_reset_counters(m->same, 2);
  cp_reset_counters(&m->sign, 1);
  cp_reset_counters(m->exponent[0], CP_CLASSES * 256);
  cp_reset_counters(m->fraction, 8);
  cp_reset_counters(m->has_rest, 2);
}

/// How an element's bits are shared out.
typedef struct {
  int exponent, fraction;
} cp_float_bits;

static inline cp_float_bits cp_bits_of(int kind) {
  return kind == cp_float32   ? (cp_float_bits){8, 23}
         : kind == cp_float16 ? (cp_float_bits){5, 10}
                              : (cp_float_bits){8, 7};
}

/// 15 from one on, one less for each half of that, at least 1.
static inline uint32_t cp_float_class(cp_float_bits bits, uint32_t exponent) {
  const int distance = (int)exponent - ((1 << (bits.exponent - 1)) - 1) + 15;
  return distance < 1 ? 1 : distance > 15 ? 15 : (uint32_t)distance;
}

/// Bits that are as good as random, of which there are at most 23.
static inline uint32_t cp_code_random(cp_coder *c, int count, uint32_t given) {
  if (count <= 12) return count == 0 ? 0 : cp_code_evenly(c, count, given & ((1u << count) - 1));
  const uint32_t upper = cp_code_evenly(c, count - 12, given >> 12 & ((1u << (count - 12)) - 1));
  return upper << 12 | cp_code_evenly(c, 12, given & 0xFFF);
}

static inline __attribute__((always_inline)) void cp_code_floats(
  cp_coder *c, const cp_tables *t, cp_floats *m, cp_walk *walk, const cp_piece *piece, const int kind) {
  const cp_float_bits bits = cp_bits_of(kind);
  const uint32_t exponents = (1u << bits.exponent) - 1;
  cp_walk w = *walk;
  uint32_t latest = 0, latest_class = 0;
  int same_before = 0, rest_before = 0;
  for (uint64_t i = 0; i < piece->count; i++) {
    cp_walk_step(&w, piece);
#ifdef CP_ENCODING
    const uint32_t given =
      kind == cp_float32 ? ((const uint32_t *)piece->values)[i] : ((const uint16_t *)piece->values)[i];
#else
    const uint32_t given = 0;
#endif
    uint32_t value = 0, class_ = 0;
    if (cp_code_zero(c, t, &m->zeros, &w, given != 0)) {
      same_before = cp_simple_bit(c, t, &m->same[same_before], given == latest, 255);
      if (same_before) {
        value = latest;
        class_ = latest_class;
      } else {
        const int sign = cp_simple_bit(c, t, &m->sign, (int)(given >> (bits.exponent + bits.fraction) & 1), 255);
        cp_counter *const tree = m->exponent[cp_least(w.before, CP_CLASSES - 1)];
        uint32_t node = 1;
        for (int level = bits.exponent - 1; level >= 0; level--) {
          const int bit = (int)(given >> (bits.fraction + level) & 1);
          node = node << 1 | (uint32_t)cp_simple_bit(c, t, &tree[node], bit, 255);
        }
        const uint32_t exponent = node & exponents;
        uint32_t fraction = 1;
        for (int level = 1; level <= 3; level++) {
          const int bit = (int)(given >> (bits.fraction - level) & 1);
          fraction = fraction << 1 | (uint32_t)cp_simple_bit(c, t, &m->fraction[fraction], bit, 255);
        }
        fraction &= 7;
        const int middle = bits.fraction < 10 ? bits.fraction - 3 : 7, rest = bits.fraction - 3 - middle;
        fraction = fraction << middle | cp_code_random(c, middle, given >> rest);
        if (rest > 0) {
          const uint32_t given_rest = given & ((1u << rest) - 1);
          rest_before = cp_simple_bit(c, t, &m->has_rest[rest_before], given_rest != 0, 255);
          fraction = fraction << rest | (rest_before ? cp_code_random(c, rest, given_rest) : 0);
        }
        value = (uint32_t)sign << (bits.exponent + bits.fraction) | exponent << bits.fraction | fraction;
        class_ = cp_float_class(bits, exponent);
        latest = value;
        latest_class = class_;
      }
    }
#ifndef CP_ENCODING
    if (kind == cp_float32) {
      ((uint32_t *)piece->values)[i] = value;
    } else {
      ((uint16_t *)piece->values)[i] = (uint16_t)value;
    }
#endif
    cp_walk_past(&w, class_);
  }
}
