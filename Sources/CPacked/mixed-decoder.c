#include "mixed.inc.h"

void cp_mixed_decode(const cp_piece *pieces, size_t count, void *workspace, const uint8_t *bytes, size_t size,
  uint64_t *bits) {
  cp_decoder decoder;
  cp_decoder_begin(&decoder, bytes, size);
  cp_mixed_run(&decoder, pieces, count, workspace, bits);
}
