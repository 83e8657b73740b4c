#include "integer-check.h"
#include "integer-output.h"

#include "steps/u8s8-patches.h"

size_t ck_u8s8_panel_start(ck_panels p, size_t panel) { return panel * p.tile * ck_up(p.k, 4); }
size_t ck_u8s8_panel_bytes(ck_panels p) { return ck_padded_columns(p) * ck_up(p.k, 4); }

static ck_panels panels_of(const ck_u8s8_patches *s) {
  return (ck_panels){ck_outputs_per_group(&s->geometry), ck_depth(&s->geometry), s->tile.columns, s->tile.lanes};
}

// A patch is padded to whole groups of four, so that the kernels meet no ragged end.
static size_t patch_stride(const ck_u8s8_patches *s) { return ck_up(ck_depth(&s->geometry), 4); }

static ck_cut cut_of(const ck_u8s8_patches *s, size_t batch) {
  return ck_cut_product(s->limits, batch * ck_out_pixels(&s->geometry.window), ck_depth(&s->geometry),
                        ck_outputs_per_group(&s->geometry), patch_stride(s), s->tile.rows, ck_panel_count(panels_of(s)),
                        !ck_is_pointwise(&s->geometry.window));
}

// What a thread needs: a tile of sums, the sums of its rows of A, and its patches.
typedef struct {
  size_t sums, row_sums, patches;
} bytes;

static bytes bytes_of(const ck_u8s8_patches *s, const ck_cut *cut) {
  return (bytes){
      ck_keeps_sums(&s->output) ? ck_aligned(s->tile.rows * s->tile.columns * sizeof(int32_t)) : 0,
      s->output.weight_zero_points != 0 ? ck_aligned(cut->most_rows * sizeof(int32_t)) : 0,
      ck_is_pointwise(&s->geometry.window) ? 0 : ck_aligned(cut->most_rows * patch_stride(s)),
  };
}

size_t ck_scratch_u8s8_patches(const void *step, size_t batch, size_t threads) {
  const ck_cut cut = cut_of(step, batch);
  const bytes b = bytes_of(step, &cut);
  return ck_padded(threads * (b.sums + b.row_sums + b.patches));
}

typedef struct {
  const ck_u8s8_patches *step;
  const ck_kernels *kernels;
  const ck_call *call;
  ck_cut cut;
  ck_panels panels;
  bytes bytes;
  char *scratch;
} job;

// Patches of some rows, image by image, for each may have a padding of its own.
static void gather(const job *j, size_t group, ck_piece p, uint8_t *patch) {
  const ck_geometry *g = &j->step->geometry;
  const ck_image_quantizations images = ck_quantizations_of(&j->step->output, j->call);
  const size_t pixels = ck_out_pixels(&g->window), channels = ck_channels_per_group(g), stride = patch_stride(j->step);
  for (size_t row = p.first_row, end; row < p.end_row; row = end) {
    const size_t image = row / pixels;
    end = images.step == 0 ? p.end_row : ck_min((image + 1) * pixels, p.end_row);
    ck_u8_im2col(&g->window, j->call->inputs[0], group * channels, channels, row, end - row,
                 images.first[image * images.step].zero_point, patch + (row - p.first_row) * stride, stride);
  }
}

static void sum_rows(size_t rows, size_t depth, const uint8_t *a, size_t lda, int32_t *sums) {
  for (size_t r = 0; r < rows; r++, a += lda) {
    int32_t sum = 0;
    for (size_t i = 0; i < depth; i++) sum += a[i];
    sums[r] = sum;
  }
}

// A weight's zero point takes part in every product: sum (w - zero) a = sum w a - zero * sum a.
static void take_out(size_t rows, size_t columns, int32_t *sums, size_t ld, const int32_t *row_sums,
                     const int32_t *zero_points) {
  for (size_t r = 0; r < rows; r++, sums += ld) {
    for (size_t c = 0; c < columns; c++) sums[c] -= zero_points[c] * row_sums[r];
  }
}

// The packed weights of a panel.
typedef struct {
  const int8_t *weights;
  size_t width;
  const uint32_t *at;  // of quads
  size_t quads;
} panel_weights;

static panel_weights weights_of(const job *j, size_t group, size_t panel) {
  const ck_u8s8_patches *s = j->step;
  if (s->first_quads == 0) {
    return (panel_weights){
        .weights = ck_constant(j->call, group * s->group_bytes + ck_u8s8_panel_start(j->panels, panel)),
        .width = ck_panel_width(j->panels, panel)};
  }
  const uint32_t *first = (const uint32_t *)ck_constant(j->call, s->first_quads) + group * ck_panel_count(j->panels) + panel;
  return (panel_weights){.weights = ck_constant(j->call, (size_t)first[0] * s->tile.columns * 4),
                         .width = s->tile.columns,
                         .at = (const uint32_t *)ck_constant(j->call, s->places) + first[0],
                         .quads = first[1] - first[0]};
}

static void piece(void *context, size_t index, size_t worker) {
  const job *j = context;
  const ck_u8s8_patches *s = j->step;
  const ck_geometry *g = &s->geometry;
  const ck_integer_output *o = &s->output;
  const size_t group = index / j->cut.count, tile_rows = s->tile.rows, tile_columns = s->tile.columns;
  const ck_piece p = ck_cut_piece(&j->cut, index % j->cut.count);
  const size_t rows = p.end_row - p.first_row, pixels = ck_out_pixels(&g->window);
  char *next = j->scratch + worker * (j->bytes.sums + j->bytes.row_sums + j->bytes.patches);
  int32_t *sums = ck_take(&next, j->bytes.sums), *row_sums = ck_take(&next, j->bytes.row_sums);
  const uint8_t *a;
  size_t lda, depth;
  if (j->bytes.patches > 0) {
    lda = depth = patch_stride(s);
    gather(j, group, p, (uint8_t *)next);
    a = (const uint8_t *)next;
  } else {
    lda = g->window.channels;
    depth = j->panels.k;
    a = (const uint8_t *)j->call->inputs[0] + p.first_row * lda + group * depth;
  }
  if (o->weight_zero_points != 0) sum_rows(rows, j->panels.k, a, lda, row_sums);
  ck_pace pace = {j->call->workers->stop, 0};
  for (size_t panel = p.first_panel; panel < p.end_panel; panel++) {
    if (ck_pace_stops(&pace, rows * j->panels.k)) return;
    const size_t columns = ck_panel_columns(j->panels, panel);
    const panel_weights b = weights_of(j, group, panel);
    const size_t channel = group * j->panels.n + panel * tile_columns;
    if (!ck_keeps_sums(o)) {
      const ck_requantization to = ck_requantization_of(o, j->call, channel);
      uint8_t *out = (uint8_t *)j->call->outputs[0] + p.first_row * g->outputs + channel;
      for (size_t row = 0; row < rows; row += tile_rows) {
        const size_t count = ck_min(tile_rows, rows - row);
        const uint8_t *from = a + row * lda;
        uint8_t *codes = out + row * g->outputs;
        if (b.at) {
          j->kernels->u8s8_quads_codes(count, columns, b.quads, b.at, from, lda, b.weights, b.width, &to, codes,
                                       g->outputs);
        } else {
          j->kernels->u8s8_gemm_codes(count, columns, depth, from, lda, b.weights, b.width, &to, codes, g->outputs);
        }
      }
      continue;
    }
    for (size_t row = 0; row < rows; row += tile_rows) {
      const size_t count = ck_min(tile_rows, rows - row), first = p.first_row + row;
      if (b.at) {
        j->kernels->u8s8_quads(count, columns, b.quads, b.at, a + row * lda, lda, b.weights, b.width, sums,
                               tile_columns);
      } else {
        j->kernels->u8s8_gemm(count, columns, depth, a + row * lda, lda, b.weights, b.width, sums, tile_columns);
      }
      if (o->weight_zero_points != 0) {
        take_out(count, columns, sums, tile_columns, row_sums + row,
                 (const int32_t *)ck_constant(j->call, o->weight_zero_points) + channel);
      }
      ck_give_sums(o, j->kernels, j->call, sums, tile_columns, first, first + count, channel, columns, pixels,
                   g->outputs);
    }
  }
}

void ck_run_u8s8_patches(const void *step, const ck_kernels *kernels, const ck_call *call) {
  const ck_u8s8_patches *s = step;
  if (call->batch == 0) return;
  job j = {.step = s, .kernels = kernels, .call = call, .cut = cut_of(s, call->batch), .panels = panels_of(s)};
  j.bytes = bytes_of(s, &j.cut);
  j.scratch = ck_scratch_start(call->scratch);
  const size_t groups = s->geometry.groups;
  ck_share(call->workers, groups * j.cut.work, groups * j.cut.count, piece, &j);
}

const char *ck_check_u8s8_patches(const void *step, const ck_operands *of) {
  const ck_u8s8_patches *s = step;
  if (s->output.per_image) return CK_BAD_NUMBER;
  return ck_check_patch_weights(s, of);
}

// Quads follow each other in the order of panels, and meet activations within a row.
static const char *check_quads(const ck_u8s8_patches *s, const ck_operands *of, ck_panels panels) {
  const size_t all = ck_times(s->geometry.groups, ck_panel_count(panels));
  if (panels.k < 4) return CK_BAD_INDEX;
  if (!ck_holds(of, s->first_quads, ck_plus(all, 1), sizeof(uint32_t))) return CK_BEYOND_CONSTANTS;
  const uint32_t *first = ck_constants_at(of, s->first_quads), *at = ck_constants_at(of, s->places);
  const size_t quads = first[all], bytes = ck_times(panels.tile, 4);
  if (first[0] != 0) return CK_BAD_INDEX;
  if (!ck_holds(of, s->places, quads, sizeof(uint32_t)) || !ck_holds(of, 0, quads, bytes)) return CK_BEYOND_CONSTANTS;
  for (size_t panel = 0; panel < all; panel++) {
    if (first[panel] > first[panel + 1] || first[panel + 1] > quads) return CK_BAD_INDEX;
    for (size_t q = first[panel]; q < first[panel + 1]; q++) {
      if (at[q] > panels.k - 4) return CK_BAD_INDEX;
    }
    const size_t group = panel / ck_panel_count(panels), within = panel % ck_panel_count(panels);
    const int8_t *b = (const int8_t *)of->constants + first[panel] * bytes;
    const char *wrong = ck_check_quad_columns(&s->output, of, b, panels.tile, ck_panel_columns(panels, within),
                                              first[panel + 1] - first[panel],
                                              group * panels.n + within * panels.tile, panels.k);
    if (wrong) return wrong;
  }
  return NULL;
}

const char *ck_check_patch_weights(const ck_u8s8_patches *s, const ck_operands *of) {
  const ck_geometry *g = &s->geometry;
  if (!ck_is_geometry(g) || !ck_cuts(&s->limits)) return CK_BAD_NUMBER;
  const ck_tile tile = s->first_quads == 0 ? of->kernels->u8_tile : of->kernels->quads_tile;
  if (tile.rows == 0 || !ck_is_same_tile(s->tile, tile)) return CK_OTHER_TILE;
  if (!ck_maps(of, ck_image_bytes(&g->window, 1),
               ck_result_bytes(&g->window, g->outputs, s->output.to_floats ? sizeof(float) : 1))) {
    return CK_OTHER_SIZES;
  }
  const char *wrong = ck_check_integer_output(&s->output, of, g->outputs, ck_depth(g));
  if (wrong) return wrong;
  const ck_panels panels = panels_of(s);
  if (!ck_are_panels(panels)) return CK_BEYOND_CONSTANTS;
  if (s->first_quads != 0) return check_quads(s, of, panels);
  // Every group has weights of its own, so that walking through them takes no longer than they are many.
  if (g->groups > 1 && s->group_bytes < ck_u8s8_panel_bytes(panels)) return CK_BAD_NUMBER;
  if (ck_plus(ck_times(g->groups - 1, s->group_bytes), ck_u8s8_panel_bytes(panels)) > of->constant_bytes) {
    return CK_BEYOND_CONSTANTS;
  }
  for (size_t group = 0; group < g->groups; group++) {
    for (size_t panel = 0; panel < ck_panel_count(panels); panel++) {
      const int8_t *b = ck_constants_at(of, group * s->group_bytes + ck_u8s8_panel_start(panels, panel));
      wrong = ck_check_columns(&s->output, of, b, ck_panel_width(panels, panel), 0, ck_panel_columns(panels, panel),
                               panels.k, group * panels.n + panel * panels.tile);
      if (wrong) return wrong;
    }
  }
  return NULL;
}
