#include "check.h"

#include "steps/pairs.h"

typedef struct job job;
struct job {
  const ck_pairs *pairs;
  const void *step;
  const ck_kernels *kernels;
  const ck_call *call;
  size_t rows_per_piece, pieces_per_block;  // of a block, which is what the last two axes span
  size_t blocks, blocks_per_piece;
  void (*compute)(const job *j, const ck_pair_rows *rows, size_t a, size_t b, size_t out);
};

static void f32(const job *j, const ck_pair_rows *rows, size_t a, size_t b, size_t out) {
  const ck_f32_pairs *s = j->step;
  const float *x = (const float *)j->call->inputs[0] + a, *y = (const float *)j->call->inputs[1] + b;
  j->kernels->f32_pairs(j->pairs->function, rows, x, y, s->lo, s->hi, (float *)j->call->outputs[0] + out);
}

static void u8(const job *j, const ck_pair_rows *rows, size_t a, size_t b, size_t out) {
  const ck_u8_pairs *s = j->step;
  const uint8_t *x = (const uint8_t *)j->call->inputs[0] + a, *y = (const uint8_t *)j->call->inputs[1] + b;
  j->kernels->u8_pairs(j->pairs->function, rows, x, y, &s->parameters, (uint8_t *)j->call->outputs[0] + out);
}

// Some rows of one block.
static void block(const job *j, size_t index, size_t first_row, size_t end_row) {
  const ck_pairs *p = j->pairs;
  const size_t last = p->axes - 1, per_block = p->extents[last - 1] * p->extents[last];
  size_t rest = index, a = 0, b = 0;
  for (size_t axis = last - 1; axis-- > 0;) {
    const size_t place = rest % p->extents[axis];
    rest /= p->extents[axis];
    a += place * p->steps_a[axis];
    b += place * p->steps_b[axis];
  }
  const ck_pair_rows rows = {end_row - first_row, p->extents[last], p->steps_a[last - 1], p->steps_a[last],
                             p->steps_b[last - 1], p->steps_b[last]};
  j->compute(j, &rows, rest * p->count_a + a + first_row * rows.a_row, rest * p->count_b + b + first_row * rows.b_row,
             index * per_block + first_row * p->extents[last]);
}

static void piece(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const size_t rows = j->pairs->extents[j->pairs->axes - 2];
  if (j->pieces_per_block > 1) {
    const size_t row = index % j->pieces_per_block * j->rows_per_piece;
    block(j, index / j->pieces_per_block, row, ck_min(row + j->rows_per_piece, rows));
    return;
  }
  const size_t first = index * j->blocks_per_piece, end = ck_min(first + j->blocks_per_piece, j->blocks);
  for (size_t i = first; i < end; i++) block(j, i, 0, rows);
}

static void flat_piece(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const size_t first = index * CK_PIECE;
  const ck_pair_rows row = {1, ck_min(CK_PIECE, j->blocks - first), 0, 1, 0, 1};
  j->compute(j, &row, first, first, first);
}

static void run(job *j) {
  const ck_pairs *p = j->pairs;
  const size_t batch = j->call->batch;
  if (p->count == 0) return;
  if (p->is_flat) {
    j->blocks = batch * p->count;
    ck_share(j->call->workers, CK_ALWAYS, ck_ceil(j->blocks, CK_PIECE), flat_piece, j);
    return;
  }
  const size_t rows = p->extents[p->axes - 2], width = p->extents[p->axes - 1];
  j->blocks = batch * p->count / (rows * width);
  j->rows_per_piece = ck_max(1, CK_PIECE / width);
  j->pieces_per_block = ck_ceil(rows, j->rows_per_piece);
  j->blocks_per_piece = ck_max(1, CK_PIECE / (rows * width));
  const size_t pieces = j->pieces_per_block > 1 ? j->blocks * j->pieces_per_block
                                                : ck_ceil(j->blocks, j->blocks_per_piece);
  ck_share(j->call->workers, CK_ALWAYS, pieces, piece, j);
}

void ck_run_f32_pairs(const void *step, const ck_kernels *kernels, const ck_call *call) {
  const ck_f32_pairs *s = step;
  job j = {.pairs = &s->pairs, .step = s, .kernels = kernels, .call = call, .compute = f32};
  run(&j);
}

void ck_run_u8_pairs(const void *step, const ck_kernels *kernels, const ck_call *call) {
  const ck_u8_pairs *s = step;
  job j = {.pairs = &s->pairs, .step = s, .kernels = kernels, .call = call, .compute = u8};
  run(&j);
}

// Whether an operand has an element wherever one is looked for.
static bool reaches(const ck_pairs *p, const size_t *steps, size_t count) {
  size_t last = 0;
  for (size_t axis = 0; axis < p->axes; axis++) last = ck_plus(last, ck_times(p->extents[axis] - 1, steps[axis]));
  return last < count && steps[p->axes - 1] <= 1;
}

static const char *check(const ck_pairs *p, const ck_operands *of, size_t element) {
  if (of->inputs != 2 || of->outputs != 1 || of->input_bytes[0] != ck_times(p->count_a, element) ||
      of->input_bytes[1] != ck_times(p->count_b, element) || of->output_bytes[0] != ck_times(p->count, element)) {
    return CK_OTHER_SIZES;
  }
  if (p->is_flat) return p->count_a == p->count && p->count_b == p->count ? NULL : CK_OTHER_SIZES;
  if (p->axes < 2 || p->axes > CK_MOST_AXES) return CK_BAD_NUMBER;
  size_t count = 1;
  for (size_t axis = 0; axis < p->axes; axis++) count = ck_times(count, p->extents[axis]);
  if (count != p->count) return CK_OTHER_SIZES;
  return reaches(p, p->steps_a, p->count_a) && reaches(p, p->steps_b, p->count_b) ? NULL : CK_OTHER_SIZES;
}

const char *ck_check_f32_pairs(const void *step, const ck_operands *of) {
  return check(&((const ck_f32_pairs *)step)->pairs, of, sizeof(float));
}

const char *ck_check_u8_pairs(const void *step, const ck_operands *of) {
  const ck_u8_pairs *s = step;
  const ck_u8_pair_parameters *p = &s->parameters;
  const int32_t codes[] = {p->zero_a, p->zero_b, p->zero_point, p->lo, p->hi};
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    if (codes[i] < 0 || codes[i] > 255) return CK_BAD_NUMBER;
  }
  if (!ck_is_moderate(p->scale_a) || !ck_is_moderate(p->scale_b)) return CK_BAD_NUMBER;
  return check(&s->pairs, of, 1);
}
