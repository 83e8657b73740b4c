// A stream of pieces, whatever their kinds: all models in one workspace, kept from piece to piece.
#pragma once
#include "floats.inc.h"
#include "integers.inc.h"
#include "mixed.h"

typedef struct {
  cp_tables tables;
  /// Of 8 bits, and of 32.
  cp_integers narrow, wide;
  cp_floats floats[3];
} cp_models;

static inline uint64_t cp_columns(const cp_piece *pieces, size_t count) {
  uint64_t most = 1;
  for (size_t i = 0; i < count; i++) {
    const uint64_t row = pieces[i].row < CP_COLUMNS ? pieces[i].row : CP_COLUMNS;
    if (row > most) most = row;
  }
  return most;
}

static inline void cp_mixed_run(
  cp_coder *c, const cp_piece *pieces, size_t count, void *workspace, uint64_t *bits) {
  cp_models *const m = workspace;
  cp_place *const columns = (cp_place *)(m + 1), *const channels = columns + cp_columns(pieces, count);
  cp_make_tables(&m->tables);
  cp_integers_begin(&m->narrow);
  cp_integers_begin(&m->wide);
  for (int i = 0; i < 3; i++) cp_floats_begin(&m->floats[i]);
  uint64_t before = 0;
  for (size_t i = 0; i < count; i++) {
    const cp_piece *const piece = &pieces[i];
    cp_walk walk;
    cp_walk_begin(&walk, piece, columns, channels);
    switch (piece->kind) {
    case cp_int8: cp_code_integers(c, &m->tables, &m->narrow, &walk, piece, cp_int8); break;
    case cp_uint8: cp_code_integers(c, &m->tables, &m->narrow, &walk, piece, cp_uint8); break;
    case cp_int32: cp_code_integers(c, &m->tables, &m->wide, &walk, piece, cp_int32); break;
    case cp_float32: cp_code_floats(c, &m->tables, &m->floats[0], &walk, piece, cp_float32); break;
    case cp_float16: cp_code_floats(c, &m->tables, &m->floats[1], &walk, piece, cp_float16); break;
    default: cp_code_floats(c, &m->tables, &m->floats[2], &walk, piece, cp_bfloat16); break;
    }
    if (bits) {
      const uint64_t now = cp_coder_bits(c);
      bits[i] = now - before;
      before = now;
    }
  }
}
