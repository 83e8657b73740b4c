// The rounding steps that every reference kernel shares.
#pragma once
#include <stdint.h>

static inline float ck_clamp(float x, float lo, float hi) {
  const float y = lo > x ? lo : x;
  return hi < y ? hi : y;
}

// min(max(roundHalfEven(x) + zero_point, lo), hi). The clamp comes before the conversion: x may be huge.
static inline uint8_t ck_to_u8(float x, int32_t zero_point, int32_t lo, int32_t hi) {
  return (uint8_t)ck_clamp(__builtin_rintf(x) + (float)zero_point, (float)lo, (float)hi);
}
