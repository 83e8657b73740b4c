// From a number in steps of the result's scale to its code.
#pragma once
#include "../kernel.h"

#include <stdint.h>

// min(max(roundHalfEven(x) + zero_point, 0), limit), in operations that a compiler makes vectors of on any machine:
// clamped first, which rounding to integers commutes with, then rounded by adding 1.5 * 2^23. NaN gives 0.
typedef struct {
  float lo, hi, zero_point;
} ck_code_range;

static inline ck_code_range ck_codes(uint8_t zero_point, uint8_t limit) {
  return (ck_code_range){-(float)zero_point, (float)limit - (float)zero_point, (float)zero_point};
}

static inline uint8_t ck_code(float x, ck_code_range range) {
  const float shift = 0x1.8p23f;
  x = x > range.lo ? x : range.lo;
  x = x < range.hi ? x : range.hi;
  return (uint8_t)(int32_t)(((x + shift) - shift) + range.zero_point);
}
