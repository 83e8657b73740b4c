#include "check.h"

#include "steps/f32-winograd.h"

enum { most_places = 36 };

static size_t places_of(const ck_f32_winograd *s) { return (s->side + 2) * (s->side + 2); }

static ck_panels panels_of(const ck_f32_winograd *s) {
  return (ck_panels){s->outputs, s->window.channels, s->tile.columns, s->tile.lanes};
}

// From one tile's channels to the next's: an odd number of cache lines, so that the rows of a product do not meet in the
// same sets of the cache.
static size_t pitch(size_t channels) {
  const size_t lines = ck_ceil(channels * sizeof(float), CK_ALIGNMENT);
  return (lines | 1) * CK_ALIGNMENT / sizeof(float);
}

// Tiles worked on together, a block: the numbers before and after the product, one place after the other.
typedef struct {
  size_t across, per_image;  // tiles
  size_t count;              // tiles of the whole batch
  size_t tiles, blocks;
  size_t input_pitch, output_pitch;
  size_t bytes;  // of a block
} layout;

// A block fits the second cache level, or takes about as much as the weights: for every block those are read anew.
static layout layout_of(const ck_f32_winograd *s, size_t batch) {
  const ck_window *w = &s->window;
  layout l = {.across = ck_ceil(w->out_width, s->side)};
  l.per_image = l.across * ck_ceil(w->out_height, s->side);
  l.count = batch * l.per_image;
  l.input_pitch = pitch(w->channels);
  l.output_pitch = pitch(s->outputs);
  const size_t tile_bytes = places_of(s) * (l.input_pitch + l.output_pitch) * sizeof(float);
  const size_t like_weights = w->channels * s->outputs / (w->channels + s->outputs);
  const size_t most = ck_up(ck_max(like_weights, ck_max(s->piece_bytes / tile_bytes, 1)), s->tile.rows);
  l.tiles = ck_max(ck_min(most, l.count), 1);
  l.blocks = ck_ceil(l.count, l.tiles);
  l.bytes = l.tiles * tile_bytes;
  return l;
}

size_t ck_scratch_f32_winograd(const void *step, size_t batch, size_t threads) {
  const layout l = layout_of(step, batch);
  return ck_padded(ck_min(l.blocks, threads) * l.bytes);
}

typedef struct {
  const ck_f32_winograd *step;
  const ck_kernels *kernels;
  const ck_call *call;
  layout layout;
  const float *bias, *zeros;
  char *scratch;
} job;

// A block in work: its tiles and its memory.
typedef struct {
  const job *job;
  size_t first, tiles;
  float *seen, *products;
} block;

static block block_of(const job *j, size_t index, size_t place) {
  const layout *l = &j->layout;
  const size_t first = index * l->tiles;
  float *seen = (float *)(j->scratch + place * l->bytes);
  return (block){j, first, ck_min(l->tiles, l->count - first), seen,
                 seen + places_of(j->step) * l->tiles * l->input_pitch};
}

// Where tile `index` of the batch has its first output.
typedef struct {
  size_t image, y, x;
} corner;

static corner corner_of(const job *j, size_t index) {
  const layout *l = &j->layout;
  const size_t in_image = index % l->per_image, side = j->step->side;
  return (corner){index / l->per_image, in_image / l->across * side, in_image % l->across * side};
}

static void see(const block *b, size_t tile) {
  const job *j = b->job;
  const ck_window *w = &j->step->window;
  const size_t width = j->step->side + 2, pitch = j->layout.input_pitch, step = j->layout.tiles * pitch;
  const corner at = corner_of(j, b->first + tile);
  const float *image = (const float *)j->call->inputs[0] + at.image * w->height * w->width * w->channels;
  const float *in[most_places];
  float *out[most_places];
  for (size_t i = 0; i < width; i++) {
    const size_t y = at.y + i - w->pad_top;  // wraps around above the image, beyond its height
    for (size_t k = 0; k < width; k++) {
      const size_t x = at.x + k - w->pad_left;
      const bool inside = y < w->height && x < w->width;
      in[i * width + k] = inside ? image + (y * w->width + x) * w->channels : j->zeros;
      out[i * width + k] = b->seen + (i * width + k) * step + tile * pitch;
    }
  }
  if (j->step->side == 4) j->kernels->f32_winograd4_tile(w->channels, in, out);
  else j->kernels->f32_winograd_tile(w->channels, in, out);
}

static void multiply(const block *b, size_t place, size_t first_panel, size_t end_panel) {
  const job *j = b->job;
  const ck_f32_winograd *s = j->step;
  const layout *l = &j->layout;
  const ck_product product = {panels_of(s), ck_as_float32, false, -__builtin_inff(), __builtin_inff()};
  ck_multiply(j->kernels, &product, b->tiles, b->seen + place * l->tiles * l->input_pitch, l->input_pitch,
              ck_constant(j->call, place * s->place_bytes), first_panel, end_panel, j->zeros, NULL,
              b->products + place * l->tiles * l->output_pitch, l->output_pitch, j->call->workers->stop);
}

// What lies beyond the image's edge goes to where the tile's first product was: each channel is read before it is written.
static void finish(const block *b, size_t tile) {
  const job *j = b->job;
  const ck_f32_winograd *s = j->step;
  const ck_window *w = &s->window;
  const size_t pitch = j->layout.output_pitch, step = j->layout.tiles * pitch;
  const corner at = corner_of(j, b->first + tile);
  float *image = (float *)j->call->outputs[0] + at.image * w->out_height * w->out_width * s->outputs;
  float *in[most_places], *out[most_places];
  for (size_t i = 0; i < places_of(s); i++) in[i] = b->products + i * step + tile * pitch;
  for (size_t i = 0; i < s->side; i++) {
    for (size_t k = 0; k < s->side; k++) {
      const size_t y = at.y + i, x = at.x + k;
      const bool inside = y < w->out_height && x < w->out_width;
      out[i * s->side + k] = inside ? image + (y * w->out_width + x) * s->outputs : in[0];
    }
  }
  if (s->side == 4) j->kernels->f32_winograd4_outputs(s->outputs, (const float *const *)in, j->bias, s->lo, s->hi, out);
  else j->kernels->f32_winograd_outputs(s->outputs, (const float *const *)in, j->bias, s->lo, s->hi, out);
}

// Blocks enough for the workers: each takes whole ones.
static void whole_block(void *context, size_t index, size_t worker) {
  const job *j = context;
  const block b = block_of(j, index, worker);
  for (size_t tile = 0; tile < b.tiles; tile++) see(&b, tile);
  for (size_t place = 0; place < places_of(j->step); place++) {
    multiply(&b, place, 0, ck_panel_count(panels_of(j->step)));
    if (ck_stops(j->call->workers->stop)) return;
  }
  for (size_t tile = 0; tile < b.tiles; tile++) finish(&b, tile);
}

// Few blocks: the workers share each.
static void see_task(void *context, size_t tile, size_t worker) {
  (void)worker;
  see(context, tile);
}

static void multiply_task(void *context, size_t index, size_t worker) {
  (void)worker;
  const block *b = context;
  const size_t places = places_of(b->job->step), panels = ck_panel_count(panels_of(b->job->step));
  const size_t half = ck_ceil(panels, 2), first = index / places * half;
  multiply(b, index % places, first, ck_min(first + half, panels));
}

static void finish_task(void *context, size_t tile, size_t worker) {
  (void)worker;
  finish(context, tile);
}

void ck_run_f32_winograd(const void *step, const ck_kernels *kernels, const ck_call *call) {
  const ck_f32_winograd *s = step;
  if (call->batch == 0) return;
  job j = {s, kernels, call, layout_of(s, call->batch), ck_constant(call, s->bias), ck_constant(call, s->zeros),
           ck_scratch_start(call->scratch)};
  const size_t work = j.layout.count * places_of(s) * s->window.channels * s->outputs;
  const size_t threads = call->workers->threads;
  if (j.layout.blocks >= 2 * threads || threads == 1) {
    ck_share(call->workers, work, j.layout.blocks, whole_block, &j);
    return;
  }
  for (size_t index = 0; index < j.layout.blocks; index++) {
    block b = block_of(&j, index, 0);
    const size_t halves = ck_panel_count(panels_of(s)) > 1 ? 2 : 1;
    ck_share(call->workers, work, b.tiles, see_task, &b);
    ck_share(call->workers, work, halves * places_of(s), multiply_task, &b);
    ck_share(call->workers, work, b.tiles, finish_task, &b);
  }
}

// One side of the weights' transform, G w, `step` apart in and out: for F(4x4, 3x3) the values at 0, a, -a, b, -b and
// infinity, each over what the tile's transform leaves out.
static void weights_side(size_t side, const double *w, size_t step, double *out, size_t to) {
  const double first = w[0], middle = w[step], last = w[2 * step];
  if (side == 2) {
    out[0] = first;
    out[to] = (first + middle + last) / 2;
    out[2 * to] = (first - middle + last) / 2;
    out[3 * to] = last;
    return;
  }
  const double a = CK_WINOGRAD_A, b = CK_WINOGRAD_B, aa = a * a, bb = b * b;
  out[0] = first / (aa * bb);
  out[to] = (first + a * middle + aa * last) / (2 * aa * (aa - bb));
  out[2 * to] = (first - a * middle + aa * last) / (2 * aa * (aa - bb));
  out[3 * to] = (first + b * middle + bb * last) / (2 * bb * (bb - aa));
  out[4 * to] = (first - b * middle + bb * last) / (2 * bb * (bb - aa));
  out[5 * to] = last;
}

void ck_f32_winograd_transform(size_t side, size_t inputs, size_t outputs, const float *weights, float *out) {
  const size_t width = side + 2;
  for (size_t output = 0; output < outputs; output++) {
    for (size_t input = 0; input < inputs; input++) {
      double w[9], between[18], u[most_places];
      for (size_t tap = 0; tap < 9; tap++) w[tap] = weights[(output * 9 + tap) * inputs + input];
      for (size_t column = 0; column < 3; column++) weights_side(side, w + column, 3, between + column, 3);
      for (size_t row = 0; row < width; row++) weights_side(side, between + row * 3, 1, u + row * width, 1);
      for (size_t place = 0; place < width * width; place++) {
        out[(place * outputs + output) * inputs + input] = (float)u[place];
      }
    }
  }
}

const char *ck_check_f32_winograd(const void *step, const ck_operands *of) {
  const ck_f32_winograd *s = step;
  const ck_window *w = &s->window;
  if (!ck_is_window(w) || w->kernel_h != 3 || w->kernel_w != 3 || w->stride_h != 1 || w->stride_w != 1 ||
      w->dilation_h != 1 || w->dilation_w != 1 || (s->side != 2 && s->side != 4) || s->outputs == 0 ||
      s->piece_bytes > (size_t)1 << 32) {
    return CK_BAD_NUMBER;
  }
  if (!ck_is_same_tile(s->tile, of->kernels->f32_tile)) return CK_OTHER_TILE;
  if (!ck_maps(of, ck_image_bytes(w, sizeof(float)), ck_result_bytes(w, s->outputs, sizeof(float)))) {
    return CK_OTHER_SIZES;
  }
  const ck_panels panels = panels_of(s);
  if (!ck_are_panels(panels)) return CK_BEYOND_CONSTANTS;
  const size_t bytes = ck_panel_bytes(panels, ck_as_float32);
  return s->place_bytes % sizeof(float) == 0 &&
                 ck_plus(ck_times(places_of(s) - 1, s->place_bytes), bytes) <= of->constant_bytes &&
                 ck_holds(of, s->bias, s->outputs, sizeof(float)) &&
                 ck_holds(of, s->zeros, ck_max(ck_padded_columns(panels), w->channels), sizeof(float))
             ? NULL
             : CK_BEYOND_CONSTANTS;
}
