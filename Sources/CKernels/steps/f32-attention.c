#include "check.h"

#include "ck-layout.h"
#include "ck-panels.h"
#include "steps/f32-attention.h"
#include "steps/f32-softmax.h"

// Scratch does not know the instruction set: as much as the widest tile needs.
#define MOST_TILE ((size_t)64)

static size_t score_bytes(const ck_f32_attention *s) { return ck_aligned(s->queries * s->keys * sizeof(float)); }
static size_t packed_bytes(const ck_f32_attention *s) {
  return ck_aligned(ck_max(ck_up(s->keys, MOST_TILE) * s->depth, ck_up(s->width, MOST_TILE) * s->keys) * sizeof(float));
}
static size_t zero_bytes(const ck_f32_attention *s) {
  return ck_aligned(ck_up(ck_max(s->keys, s->width), MOST_TILE) * sizeof(float));
}

// Of each thread.
size_t ck_scratch_f32_attention(const void *step, size_t batch, size_t threads) {
  (void)batch;
  return ck_padded(threads * (score_bytes(step) + packed_bytes(step) + zero_bytes(step)));
}

typedef struct {
  const ck_f32_attention *step;
  const ck_kernels *kernels;
  const ck_call *call;
  char *scratch;
} job;

// C (m, n) = A B for a B that is packed first.
static void multiply(const job *j, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
                     size_t column_step, size_t row_step, float *packed, const float *zeros, float *c, size_t ldc) {
  const ck_panels p = {n, k, j->kernels->f32_tile.columns, j->kernels->f32_tile.lanes};
  const ck_product product = {p, ck_as_float32, false, -__builtin_inff(), __builtin_inff()};
  for (size_t panel = 0; panel < ck_panel_count(p); panel++) {
    ck_f32_pack(ck_panel_columns(p, panel), ck_panel_width(p, panel), k, b + panel * p.tile * column_step, column_step,
                row_step, packed + panel * p.tile * k);
  }
  ck_multiply(j->kernels, &product, m, a, lda, packed, 0, ck_panel_count(p), zeros, NULL, c, ldc,
              j->call->workers->stop);
}

static void head(void *context, size_t index, size_t worker) {
  const job *j = context;
  const ck_f32_attention *s = j->step;
  const size_t sample = index / s->heads, h = index % s->heads, all = s->heads * s->depth, wide = s->heads * s->width;
  const size_t count = s->queries * s->keys;
  const float *q = (const float *)j->call->inputs[0] + sample * s->queries * all + h * s->depth;
  const float *k = (const float *)j->call->inputs[1] + sample * s->keys * all + h * s->depth;
  const float *v = (const float *)j->call->inputs[2] + sample * s->keys * wide + h * s->width;
  float *out = (float *)j->call->outputs[0] + sample * s->queries * wide + h * s->width;
  char *next = j->scratch + worker * (score_bytes(s) + packed_bytes(s) + zero_bytes(s));
  float *scores = ck_take(&next, score_bytes(s)), *packed = ck_take(&next, packed_bytes(s));
  float *zeros = ck_take(&next, zero_bytes(s));
  __builtin_memset(zeros, 0, zero_bytes(s));
  if (s->gives_weights) scores = (float *)j->call->outputs[1] + index * count;
  multiply(j, s->queries, s->keys, s->depth, q, all, k, all, 1, packed, zeros, scores, s->keys);
  for (size_t i = 0; i < count; i++) scores[i] *= s->scale;
  ck_softmax_rows(j->kernels, s->queries, s->keys, scores, scores);
  multiply(j, s->queries, s->width, s->keys, scores, s->keys, v, 1, wide, packed, zeros, out, wide);
}

void ck_run_f32_attention(const void *step, const ck_kernels *kernels, const ck_call *call) {
  const ck_f32_attention *s = step;
  job j = {s, kernels, call, ck_scratch_start(call->scratch)};
  const size_t heads = call->batch * s->heads;
  ck_share(call->workers, heads * s->queries * s->keys * (s->depth + s->width), heads, head, &j);
}

const char *ck_check_f32_attention(const void *step, const ck_operands *of) {
  const ck_f32_attention *s = step;
  const size_t scores = ck_times(s->queries, s->keys);
  if (scores > CK_MOST_SIZE || s->heads == 0 || s->depth == 0 || s->width == 0) return CK_BAD_NUMBER;
  if (of->inputs != 3 || of->outputs != (s->gives_weights ? 2 : 1) ||
      of->input_bytes[0] != ck_times_4(s->queries, s->heads, s->depth, sizeof(float)) ||
      of->input_bytes[1] != ck_times_4(s->keys, s->heads, s->depth, sizeof(float)) ||
      of->input_bytes[2] != ck_times_4(s->keys, s->heads, s->width, sizeof(float)) ||
      of->output_bytes[0] != ck_times_4(s->queries, s->heads, s->width, sizeof(float)) ||
      (s->gives_weights && of->output_bytes[1] != ck_times_3(s->heads, scores, sizeof(float)))) {
    return CK_OTHER_SIZES;
  }
  return NULL;
}
