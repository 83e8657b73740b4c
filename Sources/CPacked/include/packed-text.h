// The description of a packed file: text, coded with models that have read a text of the same kind before.
#pragma once
#include "packed-stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Bytes of workspace that coding so many bytes of text takes; it is aligned to 16 bytes.
size_t cp_text_workspace(size_t size);

/// Returns the bytes written, or 0 when they are more than `capacity`.
size_t cp_text_encode(
  const uint8_t *_Nonnull text, size_t size, void *_Nonnull workspace, uint8_t *_Nonnull out, size_t capacity);

/// Gives `size` bytes of text. Any bytes give some text: what is damaged is for checksums to find.
void cp_text_decode(
  uint8_t *_Nonnull text, size_t size, void *_Nonnull workspace, const uint8_t *_Nonnull bytes, size_t coded);

#ifdef __cplusplus
}
#endif
