// Scaled dot-product attention of values held as uint8: of queries (t, heads * d), keys (s, heads * d), values
// (s, heads * e) → (t, heads * e).
//
// Of each head, all sums being exact in 32 bits:
//     score[i][j] = sum over d of (query - its zero point) * (key - its zero point)
//     x           = float(greatest score of row i - score[i][j]) * step
//     weight      = table[truncate(min(x, CK_EXPONENTIALS - 1) + 0.5)]
//     q           = min(max(roundHalfEven(float(sum over j of weight * (value - zero_value)) * scale /
//                                         float(sum over j of weight)) + zero_point, 0), limit)
// The table holds roundHalfEven(255 * exp(-i / 256)): a row's weights are in proportion to the greatest of them, 255,
// not to their sum, so that those of many keys lose no precision. step is 256 times the scales of queries and keys and
// what products are multiplied by; scale that of the values over that of the result.
#pragma once
#include "../ck-step.h"

enum { CK_EXPONENTIALS = 2048 };

// The constants are the table.
typedef struct {
  size_t heads, queries, keys;  // t and s
  size_t depth, width;          // d and e
  uint8_t zero_query, zero_value, zero_point, limit;
  float step, scale;
} ck_u8_attention;

void ck_run_u8_attention(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_u8_attention;
size_t ck_scratch_u8_attention(const void *step, size_t batch, size_t threads);
