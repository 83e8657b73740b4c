#include "../kernel.h"
#include "arithmetic.h"

void ck_f32_pairs_scalar(ck_pair_function function, const ck_pair_rows *rows, const float *a, const float *b, float lo,
                         float hi, float *out) {
  for (size_t r = 0; r < rows->rows; r++, a += rows->a_row, b += rows->b_row, out += rows->n) {
    for (size_t i = 0; i < rows->n; i++) {
      const float x = a[i * rows->a_step], y = b[i * rows->b_step];
      float result = 0;
      switch (function) {
        case ck_pair_add: result = x + y; break;
        case ck_pair_mul: result = x * y; break;
        case ck_pair_sub: result = x - y; break;
        case ck_pair_div: result = x / y; break;
        case ck_pair_min: result = x < y || x != x ? x : y; break;
        case ck_pair_max: result = x > y || x != x ? x : y; break;
        case ck_pair_pow: result = __builtin_powf(x, y); break;
      }
      out[i] = ck_clamp(result, lo, hi);
    }
  }
}

void ck_u8_pairs_scalar(ck_pair_function function, const ck_pair_rows *rows, const uint8_t *a, const uint8_t *b,
                        const ck_u8_pair_parameters *p, uint8_t *out) {
  for (size_t r = 0; r < rows->rows; r++, a += rows->a_row, b += rows->b_row, out += rows->n) {
    for (size_t i = 0; i < rows->n; i++) {
      const int32_t x = a[i * rows->a_step] - p->zero_a, y = b[i * rows->b_step] - p->zero_b;
      float result = 0;
      switch (function) {
        case ck_pair_add: {
          const float first = (float)x * p->scale_a, second = (float)y * p->scale_b;
          result = first + second;
          break;
        }
        case ck_pair_mul: result = (float)(x * y) * p->scale_a; break;
        case ck_pair_min:
        case ck_pair_max: {
          const float first = (float)x * p->scale_a, second = (float)y * p->scale_b;
          result = (first < second) == (function == ck_pair_min) ? first : second;
          break;
        }
        case ck_pair_sub:
        case ck_pair_div:
        case ck_pair_pow: break;
      }
      out[i] = ck_to_u8(result, p->zero_point, p->lo, p->hi);
    }
  }
}
