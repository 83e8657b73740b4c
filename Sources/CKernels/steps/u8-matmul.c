#include "check.h"
#include "codes.h"
#include "u8-panels.h"

#include "steps/u8-matmul.h"

static size_t packed_bytes(const ck_u8_matmul *s) { return ck_u8_packed_bytes(s->n, s->k); }
static size_t row_bytes(const ck_u8_matmul *s) { return ck_aligned(ck_up(s->n, CK_MOST_COLUMNS) * sizeof(int32_t)); }

// B and the sums of its columns, and for each thread the sums of a few rows.
size_t ck_scratch_u8_matmul(const void *step, size_t batch, size_t threads) {
  (void)batch;
  return ck_padded(packed_bytes(step) + row_bytes(step) + threads * CK_MOST_ROWS * row_bytes(step));
}

typedef struct {
  const ck_u8_matmul *step;
  const ck_kernels *kernels;
  const ck_call *call;
  ck_panels panels;
  const uint8_t *a, *b;
  int8_t *packed;
  int32_t *columns;
  char *scratch;  // of the threads
  uint8_t *out;
  size_t rows_per_piece;
} job;

static void pack(void *context, size_t panel, size_t worker) {
  (void)worker;
  const job *j = context;
  const ck_u8_matmul *s = j->step;
  const size_t column = s->transposes_b ? s->k : 1, row = s->transposes_b ? 1 : s->n;
  ck_u8_pack_panel(j->panels, panel, j->b, column, row, j->packed, j->columns);
}

// Sum of (a - za)(b - zb), with b' = b - 128 and z = zb - 128: that of a b', less z times the row's of a, less za times
// the column's of b', and k za z. What lies between may not fit 32 bits: it is computed without a sign, modulo 2^32.
static void multiply(void *context, size_t index, size_t worker) {
  const job *j = context;
  const ck_u8_matmul *s = j->step;
  const size_t first = index * j->rows_per_piece, end = ck_min(first + j->rows_per_piece, s->m), ld = row_bytes(s) / 4;
  const size_t tile = ck_u8_tile_rows(j->kernels);
  const ck_code_range range = ck_codes(s->zero_point, s->limit);
  const uint32_t zero_a = s->zero_a, zero_b = (uint32_t)s->zero_b - CK_CODE_MIDDLE;
  const uint32_t constant = (uint32_t)s->k * zero_a * zero_b;
  int32_t *sums = (int32_t *)(j->scratch + worker * CK_MOST_ROWS * row_bytes(s));
  ck_pace pace = {j->call->workers->stop, 0};
  for (size_t row = first, rows; row < end; row += rows) {
    rows = ck_min(tile, end - row);
    if (ck_pace_stops(&pace, rows * s->n * s->k)) return;
    ck_u8_multiply(j->kernels, j->panels, rows, j->a + row * s->k, s->k, j->packed, sums, ld);
    for (size_t r = 0; r < rows; r++) {
      const uint32_t own = constant - zero_b * (uint32_t)ck_u8_sum(s->k, j->a + (row + r) * s->k);
      uint8_t *out = j->out + (row + r) * s->n;
      for (size_t c = 0; c < s->n; c++) {
        const int32_t sum = (int32_t)((uint32_t)sums[r * ld + c] - zero_a * (uint32_t)j->columns[c] + own);
        out[c] = ck_code((float)sum * s->scale, range);
      }
    }
  }
}

void ck_run_u8_matmul(const void *step, const ck_kernels *kernels, const ck_call *call) {
  const ck_u8_matmul *s = step;
  if (s->m == 0 || s->n == 0) return;
  char *next = ck_scratch_start(call->scratch);
  job j = {.step = s, .kernels = kernels, .call = call, .panels = ck_u8_panels(kernels, s->n, s->k)};
  j.packed = ck_take(&next, packed_bytes(s));
  j.columns = ck_take(&next, row_bytes(s));
  j.scratch = next;
  j.rows_per_piece = ck_up(ck_max(1, (1 << 20) / ck_max(1, s->n * s->k)), ck_u8_tile_rows(kernels));
  const size_t panels = ck_panel_count(j.panels);
  for (size_t i = 0; i < call->batch * s->matrices && !ck_stops(call->workers->stop); i++) {
    const size_t sample = i / s->matrices, matrix = i % s->matrices;
    j.a = (const uint8_t *)call->inputs[0] + sample * s->a_count + matrix * s->a_matrix;
    j.b = (const uint8_t *)call->inputs[1] + sample * s->b_count + matrix * s->b_matrix;
    j.out = (uint8_t *)call->outputs[0] + i * s->m * s->n;
    ck_share(call->workers, s->n * s->k, panels, pack, &j);
    if (ck_stops(call->workers->stop)) return;
    ck_share(call->workers, s->m * s->n * s->k, ck_ceil(s->m, j.rows_per_piece), multiply, &j);
  }
}

const char *ck_check_u8_matmul(const void *step, const ck_operands *of) {
  const ck_u8_matmul *s = step;
  const size_t a = ck_times(s->m, s->k), b = ck_times(s->k, s->n);
  if (s->m == 0 || s->n == 0 || s->k == 0 || s->matrices == 0) return CK_BAD_NUMBER;
  if (s->k > CK_MOST_PRODUCTS) return CK_SUMS_OVERFLOW;
  if (of->inputs != 2 || of->outputs != 1 || of->input_bytes[0] != s->a_count || of->input_bytes[1] != s->b_count ||
      of->output_bytes[0] != ck_times_3(s->matrices, s->m, s->n)) {
    return CK_OTHER_SIZES;
  }
  return ck_plus(ck_times(s->matrices - 1, s->a_matrix), a) <= s->a_count &&
                 ck_plus(ck_times(s->matrices - 1, s->b_matrix), b) <= s->b_count
             ? NULL
             : CK_OTHER_SIZES;
}
