// Static rANS over bytes: what `rans-encoder.c` and `rans-decoder.c` have in common.
//
// Range asymmetric numeral systems (Jarek Duda, 2009 and 2013) with static frequencies, as in Fabian Giesen's ryg_rans
// (public domain): states of 32 bits, renormalized by 16, four of them taking turns. An element of one byte takes the
// table of its row; one of several bytes comes from its last byte in memory to its first, each with the table for that
// place and for whether the last one is zero.
//
//     tables - 1 (1 byte) | size of the head (4) | head | states (4 x 4) | words (2 each)
//
// The head is a mixed stream of int32 `[tables, 256]`, the frequencies, and of uint8 `[rows]`, the table of each row
// where elements have one byte.
#pragma once
#include "mixed.h"

#define CP_RANS_BITS 14
#define CP_RANS_TOTAL (1u << CP_RANS_BITS)
/// A state is at least this.
#define CP_RANS_LOW (1u << 16)
#define CP_LANES 4
#define CP_TABLES 8
/// Bytes before the head.
#define CP_RANS_PREFIX 5

/// Rows of a piece that begin or go on in it.
static inline uint64_t cp_rows(const cp_piece *piece) {
  return piece->count == 0 ? 0 : (piece->first % piece->row + piece->count - 1) / piece->row + 1;
}

/// The pieces of the head.
static inline size_t cp_rans_head(
  cp_piece *pieces, const cp_piece *piece, uint32_t tables, int32_t *frequencies, uint8_t *rows) {
  pieces[0] = (cp_piece){
    .values = frequencies, .count = (uint64_t)tables * 256, .first = 0, .row = 256, .inner = 256, .kind = cp_int32};
  pieces[1] = (cp_piece){
    .values = rows, .count = cp_rows(piece), .first = 0, .row = 1, .inner = 1, .kind = cp_uint8};
  return cp_element_size(piece->kind) == 1 ? 2 : 1;
}

size_t cp_rans_workspace(const cp_piece *piece);
size_t cp_rans_encode(const cp_piece *piece, void *workspace, uint8_t *out, size_t capacity);
int cp_rans_decode(const cp_piece *piece, void *workspace, const uint8_t *bytes, size_t size);
