#include "../kernel.h"

#include "../include/ck-layout.h"
#include "half.h"

void ck_f32_pack(size_t n, size_t width, size_t k, const float *from, size_t column_step, size_t row_step, float *out) {
  for (size_t p = 0; p < k; p++, out += width) {
    const float *row = from + p * row_step;
    if (column_step == 1) {
      __builtin_memcpy(out, row, n * sizeof(float));
    } else {
      for (size_t j = 0; j < n; j++) out[j] = row[j * column_step];
    }
    for (size_t j = n; j < width; j++) out[j] = 0;
  }
}

void ck_f32_pack_half(size_t n, size_t width, size_t k, const float *from, size_t column_step, size_t row_step,
                      uint16_t *out) {
  for (size_t p = 0; p < k; p++, out += width) {
    for (size_t j = 0; j < n; j++) out[j] = ck_half_bits(from[p * row_step + j * column_step]);
    for (size_t j = n; j < width; j++) out[j] = 0;
  }
}

void ck_s8_pack(size_t n, size_t width, size_t k, const int8_t *from, int8_t *out) {
  for (size_t p = 0; p < k; p += 4) {
    for (size_t j = 0; j < width; j++) {
      for (size_t i = 0; i < 4; i++) *out++ = j < n && p + i < k ? from[j * k + p + i] : 0;
    }
  }
}

void ck_u8_pack(size_t n, size_t width, size_t k, const uint8_t *from, size_t column_step, size_t row_step, int8_t *out,
                int32_t *sums) {
  for (size_t j = 0; j < n; j++) sums[j] = 0;
  for (size_t p = 0; p < k; p += 4, out += 4 * width) {
    const size_t rows = k - p < 4 ? k - p : 4;
    const uint8_t *row = from + p * row_step;
    for (size_t j = 0; j < n; j++) {
      for (size_t i = 0; i < 4; i++) {
        const int8_t code = i < rows ? (int8_t)(row[j * column_step + i * row_step] - 128) : 0;
        out[4 * j + i] = code;
        sums[j] += code;
      }
    }
    for (size_t j = 4 * n; j < 4 * width; j++) out[j] = 0;
  }
}

void ck_f32_scatter_add(size_t n, const int32_t *index, const float *g, float *to) {
  for (size_t i = 0; i < n; i++) to[index[i]] += g[i];
}

void ck_f32_clamp_gradient(size_t n, const float *g, const float *clamped, float lo, float hi, float *to) {
  // In place or apart, element i depends on nothing but element i; the compiler cannot know.
#pragma clang loop vectorize(assume_safety)
  for (size_t i = 0; i < n; i++) {
    const float passing = g[i];
    to[i] = ((clamped[i] > lo) & (clamped[i] < hi)) ? passing : 0;
  }
}

void ck_u8_lookup(size_t n, const uint8_t *a, const uint8_t *table, uint8_t *out) {
  for (size_t i = 0; i < n; i++) out[i] = table[a[i]];
}

void ck_u8_limit(size_t n, uint8_t limit, uint8_t *codes) {
  for (size_t i = 0; i < n; i++) codes[i] = codes[i] < limit ? codes[i] : limit;
}

// As integers, with the magnitude of negative numbers turned around, floats are in order.
static int32_t ordered(int32_t bits) { return bits ^ ((bits >> 31) & 0x7FFFFFFF); }

void ck_f32_total_range(size_t n, const float *a, float *least, float *greatest) {
  int32_t lo = INT32_MAX, hi = INT32_MIN;
  for (size_t i = 0; i < n; i++) {
    int32_t bits;
    __builtin_memcpy(&bits, a + i, sizeof bits);
    const int32_t key = ordered(bits);
    lo = key < lo ? key : lo;
    hi = key > hi ? key : hi;
  }
  lo = ordered(lo), hi = ordered(hi);
  __builtin_memcpy(least, &lo, sizeof lo);
  __builtin_memcpy(greatest, &hi, sizeof hi);
}

void ck_f32_histogram(size_t n, const float *a, float inverse_width, int32_t half, uint32_t *counts) {
  enum { BLOCK = 256 };
  int32_t bins[BLOCK];
  const float middle = (float)half;
  for (size_t i = 0; i < n; i += BLOCK) {
    const size_t block = n - i < BLOCK ? n - i : BLOCK;
    for (size_t j = 0; j < block; j++) {
      // Never negative, so truncation is floor; the sum may have been rounded up to 2 * half.
      const int32_t bin = (int32_t)(a[i + j] * inverse_width + middle);
      bins[j] = bin < 2 * half ? bin : 2 * half - 1;
    }
    for (size_t j = 0; j < block; j++) counts[bins[j]]++;
  }
}

void ck_f32_round_affine(size_t n, const float *a, float inverse_scale, float zero_point, float limit, float scale,
                         float *out) {
  // Clamped to integers first, which rounding then leaves alone; adding 1.5 * 2^23 rounds to nearest even.
  const float lo = -zero_point, hi = limit - zero_point, shift = 0x1.8p23f;
  for (size_t i = 0; i < n; i++) {
    float q = a[i] * inverse_scale;
    q = q > lo ? q : lo;
    q = q < hi ? q : hi;
    out[i] = ((q + shift) - shift) * scale;
  }
}

void ck_f32_round_levels(size_t n, const float *a, const float *middles, const float *levels, float *out) {
  for (size_t i = 0; i < n; i++) {
    const float x = a[i];
    size_t at = 0;
    for (size_t step = 128; step > 0; step /= 2) at += x > middles[at + step - 1] ? step : 0;
    out[i] = levels[at];
  }
}
