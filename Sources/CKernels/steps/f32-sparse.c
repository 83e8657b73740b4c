#include "sparse-check.h"
#include "strips.h"

#include "steps/f32-sparse.h"

typedef struct {
  const ck_f32_sparse *step;
  const ck_kernels *kernels;
  const ck_call *call;
  ck_strips strips;
  char *scratch;
} job;

static size_t thread_bytes(const ck_f32_sparse *s) { return ck_strip_bytes() + ck_sparse_sums(&s->geometry); }

size_t ck_scratch_f32_sparse(const void *step, size_t batch, size_t threads) {
  (void)batch;
  return ck_padded(threads * thread_bytes(step));
}

// Sums of the filters first..end, back to pixels of channels.
static void give(const job *j, const ck_strip *strip, const float *sums, size_t first, size_t end) {
  const ck_f32_sparse *s = j->step;
  float *out = (float *)j->call->outputs[0] + strip->first * s->geometry.outputs;
  for (size_t filter = first; filter < end; filter += ck_sixteen) {
    const size_t filters = ck_min(ck_sixteen, end - filter);
    const float *in[ck_sixteen];
    for (size_t i = 0; i < filters; i++) in[i] = sums + (filter + i) * strip->sixteens * ck_sixteen;
    j->kernels->f32_transpose_clamp(filters, strip->count, in, s->lo, s->hi, out + filter, s->geometry.outputs);
  }
}

static void task(void *context, size_t index, size_t worker) {
  const job *j = context;
  const ck_f32_sparse *s = j->step;
  const ck_window *w = &s->geometry.window;
  char *next = j->scratch + worker * thread_bytes(s);
  float *matrix = ck_take(&next, ck_strip_bytes()), *sums = (float *)next;
  const float *bias = ck_constant(j->call, s->bias);
  const ck_strip strip =
      ck_strip_at(&j->strips, index / j->strips.splits, w, j->call->inputs[0], sizeof(float));
  const ck_parts parts = ck_parts_at(&j->strips, &s->weights, j->call, index % j->strips.splits);
  for (size_t block = 0; block < ck_sparse_blocks(&s->weights); block++) {
    if (ck_stops(j->call->workers->stop)) return;
    const size_t first = block * CK_STRIP_ROWS, rows = ck_min(CK_STRIP_ROWS, s->weights.depth - first);
    ck_gather_strip(j->kernels, w, &strip, sizeof(float), first, rows, ck_constant(j->call, s->padding), matrix);
    for (size_t part = parts.first; part < parts.end; part++) {
      const ck_sparse_block weights = ck_block_at(&s->weights, j->call, part, block);
      j->kernels->f32_sparse(&weights, strip.sixteens, matrix, block == 0 ? bias : NULL, sums);
    }
  }
  give(j, &strip, sums, parts.first_filter, parts.end_filter);
}

void ck_run_f32_sparse(const void *step, const ck_kernels *kernels, const ck_call *call) {
  const ck_f32_sparse *s = step;
  if (call->batch == 0) return;
  job j = {s, kernels, call, ck_strips_of(&s->geometry, &s->weights, call->batch, call->workers->threads),
           ck_scratch_start(call->scratch)};
  // Gathering a row takes about as long as two weights do.
  const size_t work = j.strips.outputs * (s->weights.nonzeros + 2 * s->weights.depth);
  ck_share(call->workers, work, j.strips.strips * j.strips.splits, task, &j);
}

const char *ck_check_f32_sparse(const void *step, const ck_operands *of) {
  const ck_f32_sparse *s = step;
  const ck_geometry *g = &s->geometry;
  if (!ck_is_geometry(g) || g->groups != 1 || s->weights.depth != ck_depth(g)) return CK_BAD_NUMBER;
  if (!ck_maps(of, ck_image_bytes(&g->window, sizeof(float)), ck_result_bytes(&g->window, g->outputs, sizeof(float)))) {
    return CK_OTHER_SIZES;
  }
  if (!ck_holds(of, s->bias, g->outputs, sizeof(float)) ||
      !ck_holds(of, s->padding, g->window.channels, sizeof(float))) {
    return CK_BEYOND_CONSTANTS;
  }
  return ck_check_sparse(&s->weights, of, g->outputs, false);
}
