#define CP_ENCODING
#include "text.inc.h"

size_t cp_text_workspace(size_t size) { return sizeof(cp_text) + (sizeof(cp_counter) << cp_text_bits(size)); }

size_t cp_text_encode(const uint8_t *text, size_t size, void *workspace, uint8_t *out, size_t capacity) {
  cp_encoder encoder;
  cp_encoder_begin(&encoder, out, capacity);
  cp_text_run(&encoder, text, size, workspace);
  return cp_encoder_end(&encoder);
}
