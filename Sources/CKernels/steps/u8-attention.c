#include "check.h"
#include "codes.h"
#include "u8-panels.h"

#include "steps/u8-attention.h"

// Keys and values as panels, the sums of their columns, and of a few rows the scores, the weights and the products.
typedef struct {
  size_t keys, values, sums, scores, weights, products;
} bytes;

static bytes bytes_of(const ck_u8_attention *s) {
  const size_t keys = ck_up(s->keys, CK_MOST_COLUMNS), width = ck_up(s->width, CK_MOST_COLUMNS);
  return (bytes){ck_u8_packed_bytes(s->keys, s->depth), ck_u8_packed_bytes(s->width, s->keys),
                 ck_aligned(ck_max(keys, width) * sizeof(int32_t)), ck_aligned(CK_MOST_ROWS * keys * sizeof(int32_t)),
                 ck_aligned(CK_MOST_ROWS * keys), ck_aligned(CK_MOST_ROWS * width * sizeof(int32_t))};
}

static size_t thread_bytes(bytes b) { return b.keys + b.values + 2 * b.sums + b.scores + b.weights + b.products; }

size_t ck_scratch_u8_attention(const void *step, size_t batch, size_t threads) {
  (void)batch;
  return ck_padded(threads * thread_bytes(bytes_of(step)));
}

typedef struct {
  const ck_u8_attention *step;
  const ck_kernels *kernels;
  const ck_call *call;
  char *scratch;
} job;

// Scores of a row become weights, whose sum is returned. What the keys' zero point adds to all scores of a row alike
// makes no difference; the queries' zero point times the sum of each key does.
static int32_t weigh(const ck_u8_attention *s, const uint8_t *table, const int32_t *key_sums, int32_t *scores,
                     uint8_t *weights) {
  const int32_t zero = s->zero_query;
  int32_t greatest = INT32_MIN, sum = 0;
  for (size_t i = 0; i < s->keys; i++) {
    scores[i] -= zero * key_sums[i];
    greatest = scores[i] > greatest ? scores[i] : greatest;
  }
  for (size_t i = 0; i < s->keys; i++) {
    const float x = (float)(greatest - scores[i]) * s->step, last = CK_EXPONENTIALS - 1;
    scores[i] = (int32_t)((x < last ? x : last) + 0.5f);
  }
  for (size_t i = 0; i < s->keys; i++) sum += weights[i] = table[scores[i]];
  return sum;
}

static void head(void *context, size_t index, size_t worker) {
  const job *j = context;
  const ck_u8_attention *s = j->step;
  const size_t sample = index / s->heads, h = index % s->heads, all = s->heads * s->depth, wide = s->heads * s->width;
  const uint8_t *q = (const uint8_t *)j->call->inputs[0] + sample * s->queries * all + h * s->depth;
  const uint8_t *k = (const uint8_t *)j->call->inputs[1] + sample * s->keys * all + h * s->depth;
  const uint8_t *v = (const uint8_t *)j->call->inputs[2] + sample * s->keys * wide + h * s->width;
  uint8_t *out = (uint8_t *)j->call->outputs[0] + sample * s->queries * wide + h * s->width;
  const bytes b = bytes_of(s);
  char *next = j->scratch + worker * thread_bytes(b);
  int8_t *keys = ck_take(&next, b.keys), *values = ck_take(&next, b.values);
  int32_t *key_sums = ck_take(&next, b.sums), *value_sums = ck_take(&next, b.sums);
  int32_t *scores = ck_take(&next, b.scores), *products;
  uint8_t *weights = ck_take(&next, b.weights);
  products = ck_take(&next, b.products);
  const ck_panels by_key = ck_u8_panels(j->kernels, s->keys, s->depth);
  const ck_panels by_channel = ck_u8_panels(j->kernels, s->width, s->keys);
  for (size_t panel = 0; panel < ck_panel_count(by_key); panel++) {
    ck_u8_pack_panel(by_key, panel, k, all, 1, keys, key_sums);
  }
  for (size_t panel = 0; panel < ck_panel_count(by_channel); panel++) {
    ck_u8_pack_panel(by_channel, panel, v, 1, wide, values, value_sums);
  }
  const size_t tile = ck_u8_tile_rows(j->kernels);
  const size_t score_ld = ck_up(s->keys, CK_MOST_COLUMNS), product_ld = ck_up(s->width, CK_MOST_COLUMNS);
  const ck_code_range range = ck_codes(s->zero_point, s->limit);
  const int32_t zero = CK_CODE_MIDDLE - s->zero_value;
  ck_pace pace = {j->call->workers->stop, 0};
  for (size_t row = 0, rows; row < s->queries; row += rows) {
    int32_t sums[CK_MOST_ROWS];
    rows = ck_min(tile, s->queries - row);
    if (ck_pace_stops(&pace, rows * s->keys * (s->depth + s->width))) return;
    ck_u8_multiply(j->kernels, by_key, rows, q + row * all, all, keys, scores, score_ld);
    for (size_t r = 0; r < rows; r++) {
      sums[r] = weigh(s, j->call->constants, key_sums, scores + r * score_ld, weights + r * score_ld);
    }
    ck_u8_multiply(j->kernels, by_channel, rows, weights, score_ld, values, products, product_ld);
    for (size_t r = 0; r < rows; r++) {
      const float divisor = (float)sums[r];
      for (size_t c = 0; c < s->width; c++) {
        const int32_t sum = products[r * product_ld + c] + zero * sums[r];
        out[(row + r) * wide + c] = ck_code((float)sum * s->scale / divisor, range);
      }
    }
  }
}

void ck_run_u8_attention(const void *step, const ck_kernels *kernels, const ck_call *call) {
  const ck_u8_attention *s = step;
  job j = {s, kernels, call, ck_scratch_start(call->scratch)};
  const size_t heads = call->batch * s->heads;
  ck_share(call->workers, heads * s->queries * s->keys * (s->depth + s->width), heads, head, &j);
}

const char *ck_check_u8_attention(const void *step, const ck_operands *of) {
  const ck_u8_attention *s = step;
  // Scores are places in the table.
  if (s->heads == 0 || s->depth == 0 || s->width == 0 || !(s->step >= 0 && ck_is_finite(s->step))) return CK_BAD_NUMBER;
  if (s->depth > CK_MOST_PRODUCTS || s->keys > CK_MOST_PRODUCTS) return CK_SUMS_OVERFLOW;
  if (of->inputs != 3 || of->outputs != 1 || of->input_bytes[0] != ck_times_3(s->queries, s->heads, s->depth) ||
      of->input_bytes[1] != ck_times_3(s->keys, s->heads, s->depth) ||
      of->input_bytes[2] != ck_times_3(s->keys, s->heads, s->width) ||
      of->output_bytes[0] != ck_times_3(s->queries, s->heads, s->width)) {
    return CK_OTHER_SIZES;
  }
  return ck_holds(of, 0, CK_EXPONENTIALS, 1) ? NULL : CK_BEYOND_CONSTANTS;
}
