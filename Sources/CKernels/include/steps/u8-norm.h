// Normalization of uint8 codes by each sample's own statistics (see f32-norm.h), coded. In place or apart.
//
// With c = code - zero, n elements in a set, S = sum of c and Q = sum of c * c, both exact, and s the input's scale:
//     mean    = float(S / n), divided in double, of the variance; of the others 0
//     squares = float((n * Q - S * S) / (n * n) * (s * s)), in double, of the variance; float(Q / n * (s * s)) of the
//               mean square; float(Q * (s * s)) of the length
//     inverse = s * (1 / sqrt(squares + epsilon)), or s * (1 / max(sqrt(squares), epsilon)) of the length
//     q       = min(max(roundHalfEven(((float(c) - mean) * inverse) * gamma + beta) + zero_point, 0), limit)
// each operation rounded by itself; gamma and beta are those of the layer over the result's scale. Of a batch norm,
// which has its statistics already, mean is 0 and inverse 1, and gamma has the input's scale in it.
#pragma once
#include "f32-norm.h"

// The constants are gamma and beta, `channels` numbers each.
typedef struct {
  ck_f32_norm norm;
  bool has_statistics;  // to be found; else the constants say all
  uint8_t zero, zero_point, limit;
  float scale;  // of the input
} ck_u8_norm;

void ck_run_u8_norm(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_u8_norm;
