#include "check.h"

#include "steps/f32-patches.h"

static ck_panels panels_of(const ck_f32_patches *s) {
  return (ck_panels){ck_outputs_per_group(&s->geometry), ck_depth(&s->geometry), s->tile.columns, s->tile.lanes};
}

// Whether rows are gathered. Those of an image of single pixels are where they should be, but where they lie whole pages
// apart, all of a tile's rows meet in the same few sets of the cache.
static bool gathers(const ck_f32_patches *s, size_t rows) {
  const ck_window *w = &s->geometry.window;
  return !ck_is_pointwise(w) || (rows > 1 && ck_pitch(w->channels) != w->channels);
}

static ck_cut cut_of(const ck_f32_patches *s, size_t batch) {
  const size_t depth = ck_depth(&s->geometry), rows = batch * ck_out_pixels(&s->geometry.window);
  const bool copies = gathers(s, rows) || s->storage == ck_as_bfloat16;
  return ck_cut_product(s->limits, rows, depth,
                        ck_outputs_per_group(&s->geometry), depth * sizeof(float), s->tile.rows,
                        ck_panel_count(panels_of(s)), copies);
}

// Of one thread: patches, and A in bfloat16.
static size_t patch_bytes(const ck_f32_patches *s, const ck_cut *cut) {
  if (!gathers(s, cut->rows)) return 0;
  return ck_aligned(cut->most_rows * ck_pitch(ck_depth(&s->geometry)) * sizeof(float));
}

static size_t pair_bytes(const ck_f32_patches *s, const ck_cut *cut) {
  if (s->storage != ck_as_bfloat16) return 0;
  return ck_aligned(cut->most_rows * ck_ceil(ck_depth(&s->geometry), 2) * sizeof(uint32_t));
}

size_t ck_scratch_f32_patches(const void *step, size_t batch, size_t threads) {
  const ck_f32_patches *s = step;
  const ck_cut cut = cut_of(s, batch);
  return ck_padded(threads * (patch_bytes(s, &cut) + pair_bytes(s, &cut)));
}

typedef struct {
  const ck_f32_patches *step;
  const ck_kernels *kernels;
  const ck_call *call;
  ck_cut cut;
  ck_product product;
  char *patches, *pairs;
  size_t patch_bytes, pair_bytes;
} job;

static void piece(void *context, size_t index, size_t worker) {
  const job *j = context;
  const ck_f32_patches *s = j->step;
  const ck_geometry *g = &s->geometry;
  const size_t group = index / j->cut.count, channels = ck_channels_per_group(g), outputs = ck_outputs_per_group(g);
  const ck_piece p = ck_cut_piece(&j->cut, index % j->cut.count);
  const size_t rows = p.end_row - p.first_row;
  const float *input = j->call->inputs[0], *a;
  size_t lda = ck_pitch(j->product.panels.k);
  if (j->patches) {
    float *patch = (float *)(j->patches + worker * j->patch_bytes);
    ck_f32_im2col(&g->window, input, group * channels, channels, p.first_row, rows, 0, patch, lda);
    a = patch;
  } else {
    lda = g->window.channels;
    a = input + p.first_row * lda + group * channels;
  }
  const float *start = ck_constant(j->call, s->bias);
  ck_multiply(j->kernels, &j->product, rows, a, lda, ck_constant(j->call, group * s->group_bytes), p.first_panel,
              p.end_panel, start + group * ck_padded_columns(j->product.panels),
              (uint32_t *)(j->pairs + worker * j->pair_bytes),
              (float *)j->call->outputs[0] + p.first_row * g->outputs + group * outputs, g->outputs,
              j->call->workers->stop);
}

void ck_run_f32_patches(const void *step, const ck_kernels *kernels, const ck_call *call) {
  const ck_f32_patches *s = step;
  if (call->batch == 0) return;
  job j = {.step = s, .kernels = kernels, .call = call, .cut = cut_of(s, call->batch),
           .product = {panels_of(s), s->storage, false, s->lo, s->hi}};
  j.patch_bytes = patch_bytes(s, &j.cut);
  j.pair_bytes = pair_bytes(s, &j.cut);
  char *next = ck_scratch_start(call->scratch);
  j.patches = j.patch_bytes > 0 ? ck_take(&next, call->workers->threads * j.patch_bytes) : NULL;
  j.pairs = next;
  const size_t groups = s->geometry.groups;
  ck_share(call->workers, groups * j.cut.work, groups * j.cut.count, piece, &j);
}

const char *ck_check_f32_patches(const void *step, const ck_operands *of) {
  const ck_f32_patches *s = step;
  const ck_geometry *g = &s->geometry;
  if (!ck_is_geometry(g) || !ck_cuts(&s->limits)) return CK_BAD_NUMBER;
  const bool is_paired = s->storage == ck_as_bfloat16;
  if (!ck_is_same_tile(s->tile, is_paired ? of->kernels->bf16_tile : of->kernels->f32_tile)) return CK_OTHER_TILE;
  if (!ck_maps(of, ck_image_bytes(&g->window, sizeof(float)), ck_result_bytes(&g->window, g->outputs, sizeof(float)))) {
    return CK_OTHER_SIZES;
  }
  const ck_panels panels = panels_of(s);
  if (!ck_are_panels(panels)) return CK_BEYOND_CONSTANTS;
  const size_t bytes = ck_panel_bytes(panels, s->storage);
  return s->group_bytes % sizeof(float) == 0 &&
                 ck_plus(ck_times(g->groups - 1, s->group_bytes), bytes) <= of->constant_bytes &&
                 ck_holds(of, s->bias, ck_times(g->groups, ck_padded_columns(panels)), sizeof(float))
             ? NULL
             : CK_BEYOND_CONSTANTS;
}
