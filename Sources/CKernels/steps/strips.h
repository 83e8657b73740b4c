// What the steps with sparse weights share: which outputs stand in which strip, and how their patches are gathered.
#pragma once
#include "step.h"

#include "ck-geometry.h"
#include "ck-sparse.h"

enum { ck_sixteen = 16, ck_sixteens = CK_STRIP / 16, ck_word = 4 };

// Outputs, counted over the batch, go to strips of as many sixteens as one holds, or one less; where these are few, the
// filters are shared out as well, whole parts at a time.
typedef struct {
  size_t outputs, sixteens, strips, splits;
} ck_strips;

static inline ck_strips ck_strips_of(const ck_geometry *g, const ck_sparse_weights *weights, size_t batch,
                                     size_t threads) {
  const size_t outputs = batch * ck_out_pixels(&g->window), sixteens = ck_ceil(outputs, ck_sixteen);
  ck_strips s = {outputs, sixteens, ck_ceil(sixteens, ck_sixteens), 1};
  if (threads > 1 && s.strips < 2 * threads) s.splits = ck_min(weights->parts, ck_ceil(2 * threads, s.strips));
  return s;
}

// The window of an output: where its first pixel is, or would be, and that pixel's row and column, which wrap around
// where they lie before the image.
typedef struct {
  const char *first;
  size_t row, column;
} ck_view;

// A strip: its first output, how many there are, and their views; of each sixteen the views' extent, the last row and
// column being those of the windows' first pixels.
typedef struct {
  size_t first, count, sixteens;
  ck_view views[CK_STRIP];
  struct {
    ptrdiff_t top, bottom, left, right;
  } extents[ck_sixteens];
} ck_strip;

static inline ck_strip ck_strip_at(const ck_strips *strips, size_t index, const ck_window *w, const void *images,
                                   size_t element) {
  const size_t first = strips->sixteens * index / strips->strips;
  const size_t sixteens = strips->sixteens * (index + 1) / strips->strips - first;
  ck_strip s = {.first = first * ck_sixteen, .sixteens = sixteens};
  s.count = ck_min(sixteens * ck_sixteen, strips->outputs - s.first);
  const size_t pixel = w->channels * element;
  size_t x = s.first % w->out_width, y = s.first / w->out_width % w->out_height;
  const char *image = (const char *)images + s.first / w->out_width / w->out_height * w->height * w->width * pixel;
  for (size_t i = 0; i < s.count; i++) {
    const size_t row = y * w->stride_h - w->pad_top, column = x * w->stride_w - w->pad_left;
    // Wrapped around, they count backwards.
    const ptrdiff_t place = (ptrdiff_t)((row * w->width + column) * pixel);
    s.views[i] = (ck_view){image + place, row, column};
    if (++x < w->out_width) continue;
    x = 0;
    if (++y < w->out_height) continue;
    y = 0;
    image += w->height * w->width * pixel;
  }
  // What is beyond the last output sees nothing but padding.
  for (size_t i = s.count; i < sixteens * ck_sixteen; i++) s.views[i] = (ck_view){images, SIZE_MAX / 2, 0};
  for (size_t i = 0; i < sixteens; i++) {
    ptrdiff_t top = PTRDIFF_MAX, bottom = PTRDIFF_MIN, left = PTRDIFF_MAX, right = PTRDIFF_MIN;
    for (size_t k = i * ck_sixteen; k < (i + 1) * ck_sixteen; k++) {
      const ptrdiff_t row = (ptrdiff_t)s.views[k].row, column = (ptrdiff_t)s.views[k].column;
      top = row < top ? row : top, bottom = row > bottom ? row : bottom;
      left = column < left ? column : left, right = column > right ? column : right;
    }
    s.extents[i].top = top, s.extents[i].bottom = bottom, s.extents[i].left = left, s.extents[i].right = right;
  }
  return s;
}

// Whether a tap lies inside the image for all outputs of a sixteen.
static inline bool ck_all_inside(const ck_strip *s, size_t sixteen, const ck_window *w, size_t down, size_t along) {
  const ptrdiff_t y = (ptrdiff_t)down, x = (ptrdiff_t)along;
  return s->extents[sixteen].top + y >= 0 && s->extents[sixteen].bottom < (ptrdiff_t)w->height - y &&
         s->extents[sixteen].left + x >= 0 && s->extents[sixteen].right < (ptrdiff_t)w->width - x;
}

// Rows first..first+rows of the transposed matrix of patches.
static inline void ck_gather_strip(const ck_kernels *kernels, const ck_window *w, const ck_strip *s, size_t element,
                                   size_t first, size_t rows, const void *padding, void *strip) {
  const size_t pixel = w->channels * element, words = pixel / ck_word, width = s->sixteens * ck_sixteen;
  for (size_t row = first; row < first + rows;) {
    const size_t tap = row / words, word = row % words, run = ck_min(words - word, first + rows - row);
    const size_t down = tap / w->kernel_w * w->dilation_h, along = tap % w->kernel_w * w->dilation_w;
    const size_t offset = (down * w->width + along) * pixel + word * ck_word;
    for (size_t i = 0; i < s->sixteens; i++) {
      const ck_view *views = s->views + i * ck_sixteen;
      const void *in[ck_sixteen];
      if (ck_all_inside(s, i, w, down, along)) {
        for (size_t k = 0; k < ck_sixteen; k++) in[k] = views[k].first + offset;
      } else for (size_t k = 0; k < ck_sixteen; k++) {
        const bool inside = views[k].row + down < w->height && views[k].column + along < w->width;
        in[k] = inside ? views[k].first + offset : (const char *)padding + word * ck_word;
      }
      kernels->transpose(ck_sixteen, run, in,
                         (char *)strip + ((row - first) * width + i * ck_sixteen) * ck_word, width);
    }
    row += run;
  }
}

static inline size_t ck_sparse_blocks(const ck_sparse_weights *w) { return ck_ceil(w->depth, CK_STRIP_ROWS); }

static inline ck_sparse_block ck_block_at(const ck_sparse_weights *w, const ck_call *call, size_t part, size_t block) {
  const ck_sparse_place p =
      ((const ck_sparse_place *)ck_constant(call, w->places))[part * ck_sparse_blocks(w) + block];
  return (ck_sparse_block){(const ck_sparse_run *)ck_constant(call, w->runs) + p.run, p.run_count,
                           (const uint16_t *)ck_constant(call, w->filters) + p.filter,
                           (const uint8_t *)ck_constant(call, w->rows) + p.row,
                           (const char *)ck_constant(call, w->values) + (size_t)p.row * ck_word};
}

// The parts that one of the strips' splits computes, and their filters.
typedef struct {
  size_t first, end, first_filter, end_filter;
} ck_parts;

static inline ck_parts ck_parts_at(const ck_strips *s, const ck_sparse_weights *w, const ck_call *call, size_t split) {
  const uint32_t *bounds = ck_constant(call, w->bounds);
  const size_t first = w->parts * split / s->splits, end = w->parts * (split + 1) / s->splits;
  return (ck_parts){first, end, bounds[first], bounds[end]};
}

// Of a thread: a strip, and the sums of all filters.
static inline size_t ck_strip_bytes(void) { return CK_STRIP_ROWS * CK_STRIP * ck_word; }
static inline size_t ck_sparse_sums(const ck_geometry *g) { return g->outputs * CK_STRIP * ck_word; }
