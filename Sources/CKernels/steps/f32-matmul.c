#include "check.h"

#include "ck-layout.h"
#include "ck-panels.h"
#include "steps/f32-matmul.h"

// Scratch does not know the instruction set: as much as the widest tile needs.
#define MOST_TILE ((size_t)64)

static ck_panels panels_of(const ck_f32_matmul *s, const ck_kernels *kernels) {
  return (ck_panels){s->n, s->k, kernels->f32_tile.columns, kernels->f32_tile.lanes};
}
static size_t packed_bytes(const ck_f32_matmul *s) { return ck_aligned(ck_up(s->n, MOST_TILE) * s->k * sizeof(float)); }
static size_t zero_bytes(const ck_f32_matmul *s) { return ck_aligned(ck_up(s->n, MOST_TILE) * sizeof(float)); }

size_t ck_scratch_f32_matmul(const void *step, size_t batch, size_t threads) {
  (void)batch, (void)threads;
  return ck_padded(packed_bytes(step) + zero_bytes(step));
}

typedef struct {
  const ck_f32_matmul *step;
  const ck_kernels *kernels;
  const ck_call *call;
  ck_product product;
  const float *a, *b, *zeros;
  float *packed, *out;
  size_t rows_per_piece;
} job;

static void pack(void *context, size_t panel, size_t worker) {
  (void)worker;
  const job *j = context;
  const ck_f32_matmul *s = j->step;
  const ck_panels p = j->product.panels;
  const size_t column = s->transposes_b ? s->k : 1, row = s->transposes_b ? 1 : s->n;
  ck_f32_pack(ck_panel_columns(p, panel), ck_panel_width(p, panel), s->k, j->b + panel * p.tile * column, column, row,
              j->packed + panel * p.tile * s->k);
}

static void multiply(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const ck_f32_matmul *s = j->step;
  const size_t first = index * j->rows_per_piece, rows = ck_min(j->rows_per_piece, s->m - first);
  ck_multiply(j->kernels, &j->product, rows, j->a + first * s->k, s->k, j->packed, 0, ck_panel_count(j->product.panels),
              j->zeros, NULL, j->out + first * s->n, s->n, j->call->workers->stop);
}

void ck_run_f32_matmul(const void *step, const ck_kernels *kernels, const ck_call *call) {
  const ck_f32_matmul *s = step;
  if (s->m == 0 || s->n == 0) return;
  char *next = ck_scratch_start(call->scratch);
  job j = {.step = s, .kernels = kernels, .call = call,
           .product = {panels_of(s, kernels), ck_as_float32, false, -__builtin_inff(), __builtin_inff()}};
  j.packed = ck_take(&next, packed_bytes(s));
  float *zeros = ck_take(&next, zero_bytes(s));
  __builtin_memset(zeros, 0, zero_bytes(s));
  j.zeros = zeros;
  const size_t panels = ck_panel_count(j.product.panels), rows = kernels->f32_tile.rows;
  j.rows_per_piece = ck_up(ck_max(1, (1 << 20) / ck_max(1, s->n * s->k)), rows ? rows : 1);
  for (size_t i = 0; i < call->batch * s->matrices && !ck_stops(call->workers->stop); i++) {
    const size_t sample = i / s->matrices, matrix = i % s->matrices;
    j.a = (const float *)call->inputs[0] + sample * s->a_count + matrix * s->a_matrix;
    j.b = (const float *)call->inputs[1] + sample * s->b_count + matrix * s->b_matrix;
    j.out = (float *)call->outputs[0] + i * s->m * s->n;
    ck_share(call->workers, s->n * s->k, panels, pack, &j);
    ck_share(call->workers, s->m * s->n * s->k, ck_ceil(s->m, j.rows_per_piece), multiply, &j);
  }
}

const char *ck_check_f32_matmul(const void *step, const ck_operands *of) {
  const ck_f32_matmul *s = step;
  const size_t a = ck_times(s->m, s->k), b = ck_times(s->k, s->n);
  if (s->m == 0 || s->n == 0 || s->k == 0 || s->matrices == 0) return CK_BAD_NUMBER;
  if (of->inputs != 2 || of->outputs != 1 || of->input_bytes[0] != ck_times(s->a_count, sizeof(float)) ||
      of->input_bytes[1] != ck_times(s->b_count, sizeof(float)) ||
      of->output_bytes[0] != ck_times_4(s->matrices, s->m, s->n, sizeof(float))) {
    return CK_OTHER_SIZES;
  }
  return ck_plus(ck_times(s->matrices - 1, s->a_matrix), a) <= s->a_count &&
                 ck_plus(ck_times(s->matrices - 1, s->b_matrix), b) <= s->b_count
             ? NULL
             : CK_OTHER_SIZES;
}
