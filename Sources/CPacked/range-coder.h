// An adaptive binary range coder after LZMA's (Igor Pavlov, public domain), which is Martin's range coder of 1979 for
// two symbols: a range is split in proportion to the probability of a one, and the part that the bit chose is kept.
// Range and low are 64 bits wide here, and 32 bits leave at a time.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Bits of a probability; it is that of a one, from 1 to 65,535.
#define CP_PROBABILITY_BITS 16

typedef struct {
  uint64_t low, range;
  uint8_t *out;
  size_t size, capacity;
  bool is_full;
} cp_encoder;

static inline void cp_encoder_begin(cp_encoder *e, uint8_t *out, size_t capacity) {
  *e = (cp_encoder){.low = 0, .range = UINT64_MAX, .out = out, .size = 0, .capacity = capacity, .is_full = false};
}

/// What was written may have to grow by one: a number with as many digits as there are bytes.
static inline void cp_carry(cp_encoder *e) {
  for (size_t at = e->size; at > 0 && ++e->out[at - 1] == 0; at--) {}
}

/// The four upper bytes of `low` leave. What does not fit is written over the beginning: the stream is of no use then.
static inline void cp_encoder_shift(cp_encoder *e) {
  if (e->capacity - e->size < 4) {
    e->is_full = true;
    e->size = 0;
  }
  if (e->capacity >= 4) {
    for (int shift = 56; shift >= 32; shift -= 8) e->out[e->size++] = (uint8_t)(e->low >> shift);
  }
  e->low <<= 32;
  e->range <<= 32;
}

static inline void cp_encode_bit(cp_encoder *e, uint32_t probability, int bit) {
  const uint64_t ones = (e->range >> CP_PROBABILITY_BITS) * probability;
  if (bit) {
    e->range = ones;
  } else {
    e->low += ones;
    e->range -= ones;
    if (e->low < ones) cp_carry(e);
  }
  if (e->range >> 32 == 0) cp_encoder_shift(e);
}

/// `count` bits, 1 to 16, each as likely as not.
static inline void cp_encode_evenly(cp_encoder *e, int count, uint32_t bits) {
  const uint64_t part = e->range >> count;
  e->low += part * bits;
  if (e->low < part * bits) cp_carry(e);
  e->range = part;
  if (e->range >> 32 == 0) cp_encoder_shift(e);
}

/// Ends the stream with as few bytes as tell it from others; zeros at its end are left out. Returns its size, or 0 when
/// it did not fit.
static inline size_t cp_encoder_end(cp_encoder *e) {
  // The number with the most zeros at its end that lies in the range.
  uint64_t value = e->low;
  bool carries = false;
  for (int zeros = 63; zeros > 0; zeros--) {
    const uint64_t mask = ((uint64_t)1 << zeros) - 1;
    const uint64_t rounded = (e->low + mask) & ~mask;
    if (rounded - e->low < e->range) {
      carries = rounded < e->low;
      value = rounded;
      break;
    }
  }
  if (carries) cp_carry(e);
  for (int shift = 56; shift >= 0; shift -= 8) {
    const uint8_t byte = (uint8_t)(value >> shift);
    if (value << (56 - shift) == 0) break;
    if (e->size == e->capacity) {
      e->is_full = true;
      break;
    }
    e->out[e->size++] = byte;
  }
  while (!e->is_full && e->size > 1 && e->out[e->size - 1] == 0) e->size--;
  if (e->size == 0 && e->capacity > 0) e->out[e->size++] = 0;
  return e->is_full ? 0 : e->size;
}

typedef struct {
  /// What of the stream lies above the range's lower end.
  uint64_t code, range;
  const uint8_t *next, *end;
  /// Words that were taken, those behind the end included.
  uint64_t words;
} cp_decoder;

/// The next four bytes; behind the last one there are zeros.
static inline uint64_t cp_next_word(cp_decoder *d) {
  uint64_t word = 0;
  d->words++;
  if (d->end - d->next >= 4) {
    word = (uint64_t)d->next[0] << 24 | (uint64_t)d->next[1] << 16 | (uint64_t)d->next[2] << 8 | d->next[3];
    d->next += 4;
    return word;
  }
  for (int i = 0; i < 4; i++) word = word << 8 | (d->next < d->end ? *d->next++ : 0);
  return word;
}

static inline void cp_decoder_begin(cp_decoder *d, const uint8_t *bytes, size_t size) {
  *d = (cp_decoder){.code = 0, .range = UINT64_MAX, .next = bytes, .end = bytes + size, .words = 0};
  d->code = cp_next_word(d) << 32;
  d->code |= cp_next_word(d);
}

static inline int cp_decode_bit(cp_decoder *d, uint32_t probability) {
  const uint64_t ones = (d->range >> CP_PROBABILITY_BITS) * probability;
  const int bit = d->code < ones;
  d->code -= bit ? 0 : ones;
  d->range = bit ? ones : d->range - ones;
  if (d->range >> 32 == 0) {
    d->code = d->code << 32 | cp_next_word(d);
    d->range <<= 32;
  }
  return bit;
}

static inline uint32_t cp_decode_evenly(cp_decoder *d, int count) {
  const uint64_t part = d->range >> count;
  uint64_t bits = d->code / part;
  // Only in what no encoder wrote.
  if (bits >> count != 0) bits = ((uint64_t)1 << count) - 1;
  d->code -= part * bits;
  d->range = part;
  if (d->range >> 32 == 0) {
    d->code = d->code << 32 | cp_next_word(d);
    d->range <<= 32;
  }
  return (uint32_t)bits;
}

// One name for both directions: the bit is taken by the encoder and given by the decoder.
#ifdef CP_ENCODING
typedef cp_encoder cp_coder;
/// About how many bits were coded.
static inline uint64_t cp_coder_bits(const cp_coder *c) {
  return (uint64_t)c->size * 8 + (uint64_t)__builtin_clzll(c->range);
}
static inline int cp_code(cp_coder *c, uint32_t probability, int bit) {
  cp_encode_bit(c, probability, bit);
  return bit;
}
static inline uint32_t cp_code_evenly(cp_coder *c, int count, uint32_t bits) {
  cp_encode_evenly(c, count, bits);
  return bits;
}
#else
typedef cp_decoder cp_coder;
static inline uint64_t cp_coder_bits(const cp_coder *c) {
  return (c->words - 2) * 32 + (uint64_t)__builtin_clzll(c->range);
}
static inline int cp_code(cp_coder *c, uint32_t probability, int bit) {
  (void)bit;
  return cp_decode_bit(c, probability);
}
static inline uint32_t cp_code_evenly(cp_coder *c, int count, uint32_t bits) {
  (void)bits;
  return cp_decode_evenly(c, count);
}
#endif
