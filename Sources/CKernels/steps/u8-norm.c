#include "codes.h"
#include "check.h"

#include "steps/u8-norm.h"

// So many squares of bytes add up in 32 bits.
#define BLOCK ((size_t)1 << 14)

typedef struct {
  float mean, inverse;
} statistics;

// Of one set of codes: `rows` rows of `n` each, `stride` apart.
static statistics statistics_of(const ck_u8_norm *s, const uint8_t *a, size_t rows, size_t n, size_t stride) {
  int64_t sum = 0, squares = 0;
  for (size_t r = 0; r < rows; r++, a += stride) {
    for (size_t i = 0; i < n; i += BLOCK) {
      const size_t end = ck_min(i + BLOCK, n);
      uint32_t part = 0, part_squares = 0;
      for (size_t k = i; k < end; k++) {
        const uint32_t code = a[k];
        part += code;
        part_squares += code * code;
      }
      sum += part;
      squares += part_squares;
    }
  }
  // Of codes less their zero point: (q - z)^2 = q^2 - 2 z q + z^2.
  const int64_t count = (int64_t)(rows * n), zero = s->zero;
  squares += count * zero * zero - 2 * zero * sum;
  sum -= count * zero;
  const double all = (double)count, area = (double)s->scale * (double)s->scale;
  statistics found = {0, 0};
  float square;
  switch (s->norm.statistic) {
    case ck_norm_variance:
      found.mean = (float)((double)sum / all);
      square = (float)((double)(count * squares - sum * sum) / (all * all) * area);
      break;
    case ck_norm_mean_square: square = (float)((double)squares / all * area); break;
    default: square = (float)((double)squares * area); break;
  }
  if (s->norm.statistic == ck_norm_length) {
    const float length = __builtin_sqrtf(square);
    found.inverse = s->scale * (1 / (length > s->norm.epsilon ? length : s->norm.epsilon));
  } else {
    found.inverse = s->scale * (1 / __builtin_sqrtf(square + s->norm.epsilon));
  }
  return found;
}

static void normalize(size_t n, const uint8_t *a, int32_t zero, statistics of, const float *gamma, const float *beta,
                      ck_code_range range, uint8_t *out) {
  // In place or apart, element i depends on nothing but element i; the compiler cannot know.
#pragma clang loop vectorize(assume_safety)
  for (size_t i = 0; i < n; i++) {
    const float centred = (float)((int32_t)a[i] - zero) - of.mean, normal = centred * of.inverse;
    const float scaled = normal * gamma[i];
    out[i] = ck_code(scaled + beta[i], range);
  }
}

typedef struct {
  const ck_u8_norm *step;
  const ck_call *call;
} job;

// One row of the last axis, or one group of one sample.
static void piece(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const ck_u8_norm *s = j->step;
  const size_t channels = s->norm.channels, groups = s->norm.groups ? s->norm.groups : 1, n = channels / groups;
  const size_t rows = s->norm.groups ? s->norm.positions : 1;
  const size_t first = index % groups * n, start = index / groups * rows * channels + first;
  const uint8_t *a = (const uint8_t *)j->call->inputs[0] + start;
  const float *gamma = (const float *)j->call->constants + first, *beta = gamma + channels;
  uint8_t *out = (uint8_t *)j->call->outputs[0] + start;
  const statistics of = s->has_statistics ? statistics_of(s, a, rows, n, channels) : (statistics){0, 1};
  const ck_code_range range = ck_codes(s->zero_point, s->limit);
  for (size_t r = 0; r < rows; r++) {
    normalize(n, a + r * channels, s->zero, of, gamma, beta, range, out + r * channels);
  }
}

void ck_run_u8_norm(const void *step, const ck_kernels *kernels, const ck_call *call) {
  (void)kernels;
  const ck_u8_norm *s = step;
  job j = {s, call};
  const size_t count = s->norm.groups ? s->norm.groups : s->norm.positions;
  ck_share(call->workers, 4 * call->batch * s->norm.positions * s->norm.channels, call->batch * count, piece, &j);
}

// Of so many codes the number times the sum of squares fits 64 bits.
#define MOST_IN_SET ((size_t)1 << 23)

const char *ck_check_u8_norm(const void *step, const ck_operands *of) {
  const ck_u8_norm *s = step;
  const size_t channels = s->norm.channels, groups = s->norm.groups, bytes = ck_times(s->norm.positions, channels);
  if (!ck_maps(of, bytes, bytes) || (groups != 0 && channels % groups != 0)) return CK_OTHER_SIZES;
  if (s->has_statistics && (groups != 0 ? bytes / groups : channels) > MOST_IN_SET) return "its sums may leave 64 bits";
  return ck_holds(of, 0, ck_times(2, channels), sizeof(float)) ? NULL : CK_BEYOND_CONSTANTS;
}
