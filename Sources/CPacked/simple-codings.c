#include "simple-codings.h"

#include <string.h>

size_t cp_plain_encode(const cp_piece *piece, uint8_t *out, size_t capacity) {
  const uint64_t size = piece->count * cp_element_size(piece->kind);
  if (size > capacity) return 0;
  memcpy(out, piece->values, size);
  return size;
}

int cp_plain_decode(const cp_piece *piece, const uint8_t *bytes, size_t size) {
  if (size != piece->count * cp_element_size(piece->kind)) return 0;
  if (size > 0) memcpy(piece->values, bytes, size);
  return 1;
}

size_t cp_constant_encode(const cp_piece *piece, uint8_t *out, size_t capacity) {
  const size_t element = cp_element_size(piece->kind);
  const uint8_t *const bytes = piece->values;
  if (piece->count == 0 || capacity < element) return 0;
  // Each like the one before it.
  if (memcmp(bytes, bytes + element, (piece->count - 1) * element) != 0) return 0;
  memcpy(out, bytes, element);
  return element;
}

int cp_constant_decode(const cp_piece *piece, const uint8_t *bytes, size_t size) {
  const size_t element = cp_element_size(piece->kind);
  if (size != element) return 0;
  uint8_t *const values = piece->values;
  for (uint64_t i = 0; i < piece->count; i++) memcpy(values + i * element, bytes, element);
  return 1;
}

// Integers: the least of them (4 bytes), how many bits each takes (1), then those above the least one after the other,
// the lowest bit of each first.

static int64_t cp_integer(const cp_piece *piece, uint64_t i) {
  return piece->kind == cp_int8    ? ((const int8_t *)piece->values)[i]
         : piece->kind == cp_uint8 ? ((const uint8_t *)piece->values)[i]
                                   : ((const int32_t *)piece->values)[i];
}

enum { cp_bits_prefix = 5 };

/// Bytes of so many integers; counts are below 2^48.
static uint64_t cp_bits_size(uint64_t count, uint32_t bits) { return cp_bits_prefix + (count * bits + 7) / 8; }

size_t cp_bits_encode(const cp_piece *piece, uint8_t *out, size_t capacity) {
  if (piece->kind > cp_int32 || piece->count == 0) return 0;
  int64_t least = INT64_MAX, most = INT64_MIN;
  for (uint64_t i = 0; i < piece->count; i++) {
    const int64_t value = cp_integer(piece, i);
    least = value < least ? value : least;
    most = value > most ? value : most;
  }
  uint32_t bits = 0;
  while ((uint64_t)(most - least) >> bits != 0) bits++;
  const uint64_t size = cp_bits_size(piece->count, bits);
  if (size > capacity) return 0;
  for (int i = 0; i < 4; i++) out[i] = (uint8_t)((uint32_t)least >> (8 * i));
  out[4] = (uint8_t)bits;
  uint8_t *next = out + cp_bits_prefix;
  uint64_t held = 0;
  uint32_t held_bits = 0;
  for (uint64_t i = 0; i < piece->count; i++) {
    held |= (uint64_t)(cp_integer(piece, i) - least) << held_bits;
    for (held_bits += bits; held_bits >= 8; held_bits -= 8, held >>= 8) *next++ = (uint8_t)held;
  }
  if (held_bits > 0) *next++ = (uint8_t)held;
  return size;
}

int cp_bits_decode(const cp_piece *piece, const uint8_t *bytes, size_t size) {
  if (piece->kind > cp_int32 || size < cp_bits_prefix || bytes[4] > 32) return 0;
  const uint32_t bits = bytes[4];
  if (size != cp_bits_size(piece->count, bits)) return 0;
  uint32_t least = 0;
  for (int i = 0; i < 4; i++) least |= (uint32_t)bytes[i] << (8 * i);
  const uint8_t *next = bytes + cp_bits_prefix;
  uint64_t held = 0;
  uint32_t held_bits = 0;
  for (uint64_t i = 0; i < piece->count; i++) {
    for (; held_bits < bits; held_bits += 8) held |= (uint64_t)*next++ << held_bits;
    const uint32_t value = least + (uint32_t)(held & (((uint64_t)1 << bits) - 1));
    held >>= bits;
    held_bits -= bits;
    if (piece->kind == cp_int32) {
      ((uint32_t *)piece->values)[i] = value;
    } else {
      ((uint8_t *)piece->values)[i] = (uint8_t)value;
    }
  }
  return 1;
}
