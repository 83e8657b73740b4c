#define CP_ENCODING
#include "mixed.inc.h"

size_t cp_mixed_workspace(const cp_piece *pieces, size_t count) {
  return sizeof(cp_models) + 2 * cp_columns(pieces, count) * sizeof(cp_place);
}

size_t cp_mixed_encode(
  const cp_piece *pieces, size_t count, void *workspace, uint8_t *out, size_t capacity, uint64_t *bits) {
  cp_encoder encoder;
  cp_encoder_begin(&encoder, out, capacity);
  cp_mixed_run(&encoder, pieces, count, workspace, bits);
  return cp_encoder_end(&encoder);
}
