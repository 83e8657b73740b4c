// Streams of several pieces by adaptive models: what encoder and decoder offer to `streams.c`.
#pragma once
#include "packed-stream.h"

size_t cp_mixed_workspace(const cp_piece *pieces, size_t count);
/// Returns the bytes written, or 0.
size_t cp_mixed_encode(
  const cp_piece *pieces, size_t count, void *workspace, uint8_t *out, size_t capacity, uint64_t *bits);
void cp_mixed_decode(
  const cp_piece *pieces, size_t count, void *workspace, const uint8_t *bytes, size_t size, uint64_t *bits);
