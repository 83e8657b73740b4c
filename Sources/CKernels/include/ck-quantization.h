// How real numbers are held in at most 8 bits: x = (q - zero_point) * scale, q from 0 to limit.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct {
  float scale;
  uint8_t zero_point, limit;
} ck_quantization;

// The quantization whose 256 steps cover the range and zero: scale (greatest - least) / 255, zero point
// roundHalfEven(-least / scale). A range of nothing but zero, or with a NaN, has scale 1.
ck_quantization ck_quantization_covering(float least, float greatest);
