// IEEE half precision in software.
#pragma once
#include <stdint.h>

static inline uint32_t ck_float_bits(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  return bits;
}

static inline float ck_bits_float(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, 4);
  return x;
}

static inline uint16_t ck_half_bits(float x) {
  const uint32_t bits = ck_float_bits(x), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) return (uint16_t)(sign | 0x7E00u | (magnitude >> 13 & 0x3FFu));  // a quiet NaN
  if (magnitude >= 0x47800000u) return (uint16_t)(sign | 0x7C00u);                              // 2^16 and above
  if (magnitude < 0x38800000u) {  // below 2^-14: adding 0.5 leaves multiples of 2^-24 at the end, rounded to even
    return (uint16_t)(sign | (ck_float_bits(ck_bits_float(magnitude) + 0.5f) - 0x3F000000u));
  }
  const uint32_t rounded = magnitude + 0xFFFu + (magnitude >> 13 & 1);  // may carry to infinity, rightly
  return (uint16_t)(sign | ((rounded - 0x38000000u) >> 13));
}

static inline float ck_half_float(uint16_t half) {
  const uint32_t sign = (uint32_t)(half & 0x8000u) << 16, magnitude = half & 0x7FFFu;
  if (magnitude > 0x7C00u) return ck_bits_float(sign | 0x7FC00000u | magnitude << 13);
  if (magnitude == 0x7C00u) return ck_bits_float(sign | 0x7F800000u);
  if (magnitude < 0x400u) return ck_bits_float(sign | ck_float_bits((float)magnitude * 0x1p-24f));
  return ck_bits_float(sign | ((magnitude << 13) + 0x38000000u));
}
