#include "integer-check.h"
#include "integer-output.h"
#include "sparse-check.h"
#include "strips.h"

#include "steps/u8s8-sparse.h"

typedef struct {
  const ck_u8s8_sparse *step;
  const ck_kernels *kernels;
  const ck_call *call;
  ck_strips strips;
  char *scratch;
} job;

static size_t thread_bytes(const ck_u8s8_sparse *s) {
  return ck_strip_bytes() + ck_sparse_sums(&s->geometry);
}

size_t ck_scratch_u8s8_sparse(const void *step, size_t batch, size_t threads) {
  (void)batch;
  return ck_padded(threads * thread_bytes(step));
}

// Sums of the filters first..end, as codes back to pixels of channels.
static void give(const job *j, const ck_strip *strip, const int32_t *sums, size_t first, size_t end) {
  const size_t outputs = j->step->geometry.outputs;
  uint8_t *out = (uint8_t *)j->call->outputs[0] + strip->first * outputs;
  enum { most = 64 };
  for (size_t filter = first; filter < end; filter += most) {
    const size_t filters = ck_min(most, end - filter);
    const int32_t *in[most];
    for (size_t i = 0; i < filters; i++) in[i] = sums + (filter + i) * strip->sixteens * ck_sixteen;
    const ck_requantization to = ck_requantization_of(&j->step->output, j->call, filter);
    j->kernels->i32_transpose_codes(filters, strip->count, in, &to, out + filter, outputs);
  }
}

static void task(void *context, size_t index, size_t worker) {
  const job *j = context;
  const ck_u8s8_sparse *s = j->step;
  const ck_window *w = &s->geometry.window;
  char *next = j->scratch + worker * thread_bytes(s);
  uint8_t *matrix = ck_take(&next, ck_strip_bytes());
  int32_t *sums = (int32_t *)next;
  const ck_strip strip = ck_strip_at(&j->strips, index / j->strips.splits, w, j->call->inputs[0], 1);
  const ck_parts parts = ck_parts_at(&j->strips, &s->weights, j->call, index % j->strips.splits);
  for (size_t block = 0; block < ck_sparse_blocks(&s->weights); block++) {
    if (ck_stops(j->call->workers->stop)) return;
    const size_t first = block * CK_STRIP_ROWS, rows = ck_min(CK_STRIP_ROWS, s->weights.depth - first);
    ck_gather_strip(j->kernels, w, &strip, 1, first, rows, ck_constant(j->call, s->padding), matrix);
    for (size_t part = parts.first; part < parts.end; part++) {
      const ck_sparse_block weights = ck_block_at(&s->weights, j->call, part, block);
      j->kernels->u8s8_sparse(&weights, strip.sixteens, matrix, block == 0, sums);
    }
  }
  give(j, &strip, sums, parts.first_filter, parts.end_filter);
}

void ck_run_u8s8_sparse(const void *step, const ck_kernels *kernels, const ck_call *call) {
  const ck_u8s8_sparse *s = step;
  if (call->batch == 0) return;
  job j = {s, kernels, call, ck_strips_of(&s->geometry, &s->weights, call->batch, call->workers->threads),
           ck_scratch_start(call->scratch)};
  const size_t work = j.strips.outputs * (s->weights.nonzeros + 2 * s->weights.depth);
  ck_share(call->workers, work, j.strips.strips * j.strips.splits, task, &j);
}

const char *ck_check_u8s8_sparse(const void *step, const ck_operands *of) {
  const ck_u8s8_sparse *s = step;
  const ck_geometry *g = &s->geometry;
  const ck_integer_output *o = &s->output;
  if (!ck_is_geometry(g) || g->groups != 1 || g->window.channels % 4 != 0 || s->weights.depth != ck_depth(g) / 4 ||
      ck_keeps_sums(o) || o->per_image) {
    return CK_BAD_NUMBER;
  }
  if (!ck_maps(of, ck_image_bytes(&g->window, 1), ck_result_bytes(&g->window, g->outputs, 1))) return CK_OTHER_SIZES;
  const char *wrong = ck_check_integer_output(o, of, g->outputs, ck_depth(g));
  if (wrong) return wrong;
  if (!ck_holds(of, s->padding, g->window.channels, 1)) return CK_BEYOND_CONSTANTS;
  // Whatever the weights: a row that comes in two words has each of its weights in one of them (ck_check_sparse).
  const int32_t *bias = ck_constants_at(of, o->bias);
  const int64_t reach = (int64_t)ck_depth(g) * 255 * 128;
  for (size_t c = 0; c < g->outputs; c++) {
    if (bias[c] - reach < INT32_MIN || bias[c] + reach > INT32_MAX) return CK_SUMS_OVERFLOW;
  }
  return ck_check_sparse(&s->weights, of, g->outputs, of->kernels->quads_tile.rows > 0);
}
