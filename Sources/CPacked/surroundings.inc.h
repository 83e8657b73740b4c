// Where an element stands, and whether it is zero: what integers and floats have in common. A tensor is seen as rows
// (axis 0), whose columns are channels (the last axis) over and over, once for each tap. An element is known by its
// class, 0 for zero and more for larger ones.
#pragma once
#include "mixing.h"
#include "packed-stream.h"

/// Columns that are kept apart; of longer rows those that are so far from each other share one.
#define CP_COLUMNS ((uint64_t)1 << 20)
/// Classes that are told apart where they are a context.
#define CP_CLASSES 16

/// What has been seen at one column, or of one channel.
typedef struct {
  /// The share of those that are not zero, and the mean class of these, running; 16 and 8.8 bits.
  uint16_t density, size;
  /// The class of the row above; of this row once it was coded.
  uint8_t latest;
} cp_place;

/// Where a walk through a piece is.
typedef struct {
  cp_place *columns, *channels;
  uint64_t row, inner;
  uint64_t column, channel, in_row, row_index;
  uint32_t tap;
  /// Densities of the latest elements, and of some more of this row; the mean class, like `cp_place`.
  uint32_t quick, slow, size;
  /// The classes of the element before it, of the one above and of the one a tap before.
  uint32_t before, above, tap_before;
} cp_walk;

/// Models of zeros, of one kind of elements.
typedef struct {
  cp_counter at_column[1024], at_channel[1024], in_row[256], near[1024];
  cp_weights weights;
} cp_zeros;

static inline void cp_zeros_begin(cp_zeros *m) {
  cp_reset_counters(m->at_column, 1024);
  cp_reset_counters(m->at_channel, 1024);
  cp_reset_counters(m->in_row, 256);
  cp_reset_counters(m->near, 1024);
  cp_reset_weights(&m->weights, 1, 4, 16);
}

static inline uint32_t cp_least(uint32_t a, uint32_t b) { return a < b ? a : b; }

static inline void cp_walk_begin(cp_walk *w, const cp_piece *piece, cp_place *columns, cp_place *channels) {
  const uint64_t row = piece->row < CP_COLUMNS ? piece->row : CP_COLUMNS;
  const cp_place unseen = {.density = 1 << 15, .size = 3 << 8, .latest = 0};
  *w = (cp_walk){
    .columns = columns, .channels = channels, .row = row, .inner = piece->inner < row ? piece->inner : row,
    .in_row = piece->first % piece->row, .row_index = piece->first / piece->row,
    .quick = 1 << 15, .slow = 1 << 15, .size = 3 << 8,
  };
  // What a short piece never comes to needs no beginning.
  for (uint64_t i = 0; i < w->row && i < piece->count; i++) columns[i] = unseen;
  for (uint64_t i = 0; i < w->inner && i < piece->count; i++) channels[i] = unseen;
}

/// Makes ready for the next element.
static inline void cp_walk_step(cp_walk *w, const cp_piece *piece) {
  if (w->in_row == piece->row) {
    w->in_row = 0;
    w->row_index++;
    w->column = w->channel = w->tap = 0;
    w->before = 0;
    w->slow = 1 << 15;
  }
  if (w->channel == w->inner) {
    w->channel = 0;
    w->tap += w->tap < 31;
  }
  if (w->column == w->row) w->column = 0;
  w->above = w->columns[w->column].latest;
  w->tap_before = w->column >= w->inner ? w->columns[w->column - w->inner].latest : 0;
}

static inline __attribute__((always_inline)) int cp_code_zero(
  cp_coder *c, const cp_tables *t, cp_zeros *m, cp_walk *w, int is_nonzero) {
  cp_place *const column = w->columns + w->column, *const channel = w->channels + w->channel;
  const uint32_t near =
    (uint32_t)(w->before != 0) | (uint32_t)(w->above != 0) << 1 | (uint32_t)(w->tap_before != 0) << 2;
  cp_counter *const counters[4] = {
    m->at_column + ((uint32_t)(column->density >> 10) << 3 | near),
    m->at_channel + ((uint32_t)(channel->density >> 11) << 5 | w->tap),
    m->in_row + ((w->slow >> 12) << 4 | (uint32_t)(channel->density >> 12)),
    m->near + ((w->quick >> 12) << 6 | cp_least(w->above, 7) << 3 | cp_least(w->tap_before, 7)),
  };
  const int found = cp_mixed_bit(c, t, counters, 4, &m->weights, is_nonzero, 200, 16);
  const int32_t coming = found ? 65535 : 0;
  column->density = (uint16_t)(column->density + ((coming - column->density) >> 4));
  channel->density = (uint16_t)(channel->density + ((coming - channel->density) >> 5));
  w->quick += (uint32_t)((coming - (int32_t)w->quick) >> 3);
  w->slow += (uint32_t)((coming - (int32_t)w->slow) >> 5);
  return found;
}

/// Remembers what the element was.
static inline void cp_walk_past(cp_walk *w, uint32_t class_) {
  cp_place *const column = w->columns + w->column, *const channel = w->channels + w->channel;
  if (class_ != 0) {
    w->size += (uint32_t)(((int32_t)(class_ << 8) - (int32_t)w->size) >> 4);
    channel->size = (uint16_t)(channel->size + (((int32_t)(class_ << 8) - channel->size) >> 3));
  }
  column->latest = (uint8_t)class_;
  w->before = class_;
  w->column++;
  w->channel++;
  w->in_row++;
}
