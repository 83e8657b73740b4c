#include "text.inc.h"

void cp_text_decode(uint8_t *text, size_t size, void *workspace, const uint8_t *bytes, size_t coded) {
  cp_decoder decoder;
  cp_decoder_begin(&decoder, bytes, coded);
  cp_text_run(&decoder, text, size, workspace);
}
