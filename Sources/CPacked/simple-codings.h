// Codings that predict nothing: elements as they are, one for all, and integers of few bits.
#pragma once
#include "packed-stream.h"

size_t cp_plain_encode(const cp_piece *piece, uint8_t *out, size_t capacity);
int cp_plain_decode(const cp_piece *piece, const uint8_t *bytes, size_t size);
/// 0 unless all elements are alike.
size_t cp_constant_encode(const cp_piece *piece, uint8_t *out, size_t capacity);
int cp_constant_decode(const cp_piece *piece, const uint8_t *bytes, size_t size);
/// 0 unless they are integers.
size_t cp_bits_encode(const cp_piece *piece, uint8_t *out, size_t capacity);
int cp_bits_decode(const cp_piece *piece, const uint8_t *bytes, size_t size);
