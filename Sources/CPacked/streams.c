// One name for all codings.
#include "mixed.h"
#include "packed-stream.h"
#include "rans.h"
#include "simple-codings.h"

size_t cp_workspace(int coding, const cp_piece *pieces, size_t count) {
  if (coding == cp_mixed) return cp_mixed_workspace(pieces, count);
  if (coding == cp_rans && count == 1) return cp_rans_workspace(pieces);
  return 1;
}

size_t cp_encode(
  int coding, const cp_piece *pieces, size_t count, void *workspace, uint8_t *out, size_t capacity,
  uint64_t *bits) {
  if (coding == cp_mixed) return cp_mixed_encode(pieces, count, workspace, out, capacity, bits);
  if (count != 1) return 0;
  size_t size = 0;
  switch (coding) {
  case cp_plain: size = cp_plain_encode(pieces, out, capacity); break;
  case cp_constant: size = cp_constant_encode(pieces, out, capacity); break;
  case cp_bits: size = cp_bits_encode(pieces, out, capacity); break;
  case cp_rans: size = cp_rans_encode(pieces, workspace, out, capacity); break;
  default: break;
  }
  if (bits) bits[0] = (uint64_t)size * 8;
  return size;
}

int cp_decode(
  int coding, const cp_piece *pieces, size_t count, void *workspace, const uint8_t *bytes, size_t size,
  uint64_t *bits) {
  if (coding == cp_mixed) {
    cp_mixed_decode(pieces, count, workspace, bytes, size, bits);
    return 1;
  }
  if (count != 1) return 0;
  if (bits) bits[0] = (uint64_t)size * 8;
  switch (coding) {
  case cp_plain: return cp_plain_decode(pieces, bytes, size);
  case cp_constant: return cp_constant_decode(pieces, bytes, size);
  case cp_bits: return cp_bits_decode(pieces, bytes, size);
  case cp_rans: return cp_rans_decode(pieces, workspace, bytes, size);
  default: return 0;
  }
}
