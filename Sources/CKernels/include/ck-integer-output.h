// What becomes of the exact 32-bit sums of an integer convolution.
#pragma once
#include <stdbool.h>

#include "ck-quantization.h"

// Offsets are bytes of the step's constants, where each array has a value for every output channel.
typedef struct {
  bool to_floats;
  // To uint8: q = min(max(roundHalfEven(float(sum + bias) * scale) + zero_point, lo), hi), where sum is that of
  // activation * (weight - its zero point) and the input's zero point is part of the int32 bias.
  uint8_t zero_point, lo, hi;
  // To float32: fma(float(sum - input's zero point * weight_sums), input's scale * scale, bias), clamped; the bias is
  // float32, weight_sums are those of weight - its zero point.
  float low, high;
  size_t scales, bias, weight_sums;
  size_t weight_zero_points;  // int32; 0: all are zero, for the constants begin with the weights
  // Of the images: outside them lies the zero point. With per_image it stands in the step's second input instead, a
  // ck_quantization for each image.
  ck_quantization input;
  bool per_image;
} ck_integer_output;
