#include "../kernel.h"
#include "arithmetic.h"

#include <string.h>

void ck_f32_sparse_scalar(const ck_sparse_block *block, size_t sixteens, const float *strip, const float *start,
                          float *sums) {
  const size_t width = 16 * sixteens;
  const uint16_t *filter = block->filters;
  const uint8_t *row = block->rows;
  const float *value = block->values;
  for (size_t r = 0; r < block->run_count; r++) {
    const ck_sparse_run run = block->runs[r];
    for (size_t f = 0; f < run.filters; f++, filter++, row += run.nonzeros, value += run.nonzeros) {
      float *to = sums + (size_t)*filter * width;
      for (size_t i = 0; i < width; i++) {
        float sum = start ? start[*filter] : to[i];
        for (size_t n = 0; n < run.nonzeros; n++) {
          sum = __builtin_fmaf(value[n], strip[(size_t)row[n] * width + i], sum);
        }
        to[i] = sum;
      }
    }
  }
}

void ck_u8s8_sparse_scalar(const ck_sparse_block *block, size_t sixteens, const uint8_t *strip, bool starts,
                           int32_t *sums) {
  const size_t width = 16 * sixteens;
  const uint16_t *filter = block->filters;
  const uint8_t *row = block->rows;
  const int8_t *value = block->values;
  for (size_t r = 0; r < block->run_count; r++) {
    const ck_sparse_run run = block->runs[r];
    for (size_t f = 0; f < run.filters; f++, filter++, row += run.nonzeros, value += 4 * run.nonzeros) {
      int32_t *to = sums + (size_t)*filter * width;
      for (size_t i = 0; i < width; i++) {
        int32_t sum = starts ? 0 : to[i];
        for (size_t n = 0; n < run.nonzeros; n++) {
          const uint8_t *four = strip + ((size_t)row[n] * width + i) * 4;
          for (size_t k = 0; k < 4; k++) sum += four[k] * value[4 * n + k];
        }
        to[i] = sum;
      }
    }
  }
}

void ck_transpose_scalar(size_t rows, size_t columns, const void *const *in, void *out, size_t pitch) {
  for (size_t r = 0; r < rows; r++) {
    for (size_t c = 0; c < columns; c++) {
      memcpy((char *)out + (c * pitch + r) * 4, (const char *)in[r] + c * 4, 4);
    }
  }
}

void ck_f32_transpose_clamp_scalar(size_t rows, size_t columns, const float *const *in, float lo, float hi, float *out,
                                   size_t pitch) {
  for (size_t r = 0; r < rows; r++) {
    for (size_t c = 0; c < columns; c++) out[c * pitch + r] = ck_clamp(in[r][c], lo, hi);
  }
}

void ck_i32_transpose_codes_scalar(size_t rows, size_t columns, const int32_t *const *in, const ck_requantization *to,
                                   uint8_t *out, size_t pitch) {
  for (size_t r = 0; r < rows; r++) {
    for (size_t c = 0; c < columns; c++) {
      const float sum = (float)(in[r][c] + to->bias[r]);
      out[c * pitch + r] = ck_to_u8(sum * to->scale[r], to->zero_point, to->lo, to->hi);
    }
  }
}
