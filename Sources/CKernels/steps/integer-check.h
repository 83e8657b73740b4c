// What the checks of integer convolutions share: that no sum leaves 32 bits, whatever the activations.
#pragma once
#include "check.h"

#include "ck-integer-output.h"

// So many products of uint8 and int8, the latter less a zero point of its own or not, add up in 31 bits.
#define CK_MOST_WEIGHTS ((size_t)INT32_MAX / (255 * 128))
#define CK_MOST_SHIFTED_WEIGHTS ((size_t)INT32_MAX / (255 * 255))

static inline const char *ck_check_integer_output(const ck_integer_output *o, const ck_operands *of, size_t channels,
                                                  size_t depth) {
  if (!ck_holds(of, o->scales, channels, sizeof(float)) || !ck_holds(of, o->bias, channels, sizeof(int32_t)) ||
      (o->to_floats && !ck_holds(of, o->weight_sums, channels, sizeof(int32_t))) ||
      (o->weight_zero_points != 0 && !ck_holds(of, o->weight_zero_points, channels, sizeof(int32_t)))) {
    return CK_BEYOND_CONSTANTS;
  }
  if (depth > (o->weight_zero_points != 0 ? CK_MOST_SHIFTED_WEIGHTS : CK_MOST_WEIGHTS)) return CK_SUMS_OVERFLOW;
  const float *scales = ck_constants_at(of, o->scales);
  for (size_t c = 0; c < channels; c++) {
    if (!ck_is_finite(scales[c])) return "a scale is not finite";
  }
  if (o->weight_zero_points == 0) return NULL;
  const int32_t *zeros = ck_constants_at(of, o->weight_zero_points);
  for (size_t c = 0; c < channels; c++) {
    if (zeros[c] < -128 || zeros[c] > 127) return CK_BAD_NUMBER;
  }
  return NULL;
}

// A channel's sum of weights, and that of their magnitudes: with the bias no sum of products leaves 32 bits, or the stored
// sum is right.
static inline const char *ck_check_sum(const ck_integer_output *o, const ck_operands *of, size_t channel, int64_t sum,
                                       int64_t size) {
  if (o->to_floats) {
    return ((const int32_t *)ck_constants_at(of, o->weight_sums))[channel] == sum ? NULL : CK_SUMS_OVERFLOW;
  }
  const int64_t bias = ((const int32_t *)ck_constants_at(of, o->bias))[channel];
  return bias + 255 * (sum - size) / 2 >= INT32_MIN && bias + 255 * (sum + size) / 2 <= INT32_MAX ? NULL
                                                                                                    : CK_SUMS_OVERFLOW;
}

// Of some channels one after the other whose weights are the columns column... of B (k, n), as ck_u8s8_gemm_fn reads
// it: sums with the bias fit, or the stored sums of weights are right, and what fills the last four rows is zero.
static inline const char *ck_check_columns(const ck_integer_output *o, const ck_operands *of, const int8_t *b,
                                           size_t width, size_t column, size_t n, size_t k, size_t channel) {
  enum { most = 64 };
  const int32_t *zeros = o->weight_zero_points == 0 ? NULL : ck_constants_at(of, o->weight_zero_points);
  for (size_t first = 0; first < n; first += most) {
    const size_t count = ck_min(most, n - first);
    int32_t sums[most] = {0}, sizes[most] = {0}, zero[most] = {0};
    for (size_t i = 0; i < count && zeros; i++) zero[i] = zeros[channel + first + i];
    for (size_t p = 0; p < k; p += 4) {
      const int8_t *four = b + (p / 4 * width + column + first) * 4;
      for (size_t i = 0; i < count; i++) {
        for (size_t r = 0; r < 4; r++) {
          if (p + r >= k) {
            if (four[4 * i + r] != 0) return CK_BAD_NUMBER;
            continue;
          }
          const int32_t w = four[4 * i + r] - zero[i];
          sums[i] += w;
          sizes[i] += w < 0 ? -w : w;
        }
      }
    }
    for (size_t i = 0; i < count; i++) {
      const char *wrong = ck_check_sum(o, of, channel + first + i, sums[i], sizes[i]);
      if (wrong) return wrong;
    }
  }
  return NULL;
}

// The same of weights in quads (see ck_u8s8_quads_fn), n columns of `width`. Zero points count once for each of k weights.
static inline const char *ck_check_quad_columns(const ck_integer_output *o, const ck_operands *of, const int8_t *b,
                                                size_t width, size_t n, size_t quads, size_t channel, size_t k) {
  for (size_t j = 0; j < n; j++) {
    int64_t sum = 0, size = 0;
    for (size_t q = 0; q < quads; q++) {
      for (size_t i = 0; i < 4; i++) {
        const int64_t w = b[(q * width + j) * 4 + i];
        sum += w;
        size += w < 0 ? -w : w;
      }
    }
    if (o->weight_zero_points != 0) {
      const int64_t zeros = (int64_t)k * ((const int32_t *)ck_constants_at(of, o->weight_zero_points))[channel + j];
      sum -= zeros;
      size += zeros < 0 ? -zeros : zeros;
    }
    const char *wrong = ck_check_sum(o, of, channel + j, sum, size);
    if (wrong) return wrong;
  }
  return NULL;
}
