// Text, bit by bit, as lpaq predicts it: by the last 1, 2, 3, 4 and 6 bytes, by the word it is in, and by what followed
// the last time the same five bytes were seen. Contexts are hashed into one table of counters, and not checked.
#pragma once
#include "mixing.h"
#include "packed-text.h"
#include "primer.h"

#define CP_ORDERS 6
/// How long a match is, at most, as a context.
#define CP_LONGEST 15
/// Bytes that are hashed to find a match, and bits of that hash.
#define CP_MATCHED 5
#define CP_MATCH_BITS 16

typedef struct {
  cp_tables tables;
  cp_weights weights[CP_LONGEST + 1][4];
  /// By length and the bit that is expected.
  cp_counter match[CP_LONGEST + 1][2];
  /// By hash: the place behind the latest of such bytes, in primer and text as one.
  uint32_t places[1 << CP_MATCH_BITS];
  uint32_t mask;
  /// Of the bytes so far: the last eight, the word.
  uint64_t last;
  uint32_t word;
  uint32_t found, length;
} cp_text;

/// Bits of the number of counters.
static inline int cp_text_bits(size_t size) {
  int bits = 18;
  while (bits < 22 && (size_t)1 << (bits - 6) < size) bits++;
  return bits;
}

static inline uint32_t cp_hash(uint64_t context, uint32_t order) {
  const uint64_t product = (context + ((uint64_t)order << 56) + 1) * UINT64_C(0x9E3779B97F4A7C15);
  return (uint32_t)(product >> 32);
}

/// The byte at a place of primer and text as one.
static inline uint8_t cp_byte_at(const uint8_t *text, size_t place) {
  return place < CP_PRIMER_SIZE ? cp_primer[place] : text[place - CP_PRIMER_SIZE];
}

/// One byte: coded, or without a coder only learned. `place` is where it stands in primer and text as one.
static inline __attribute__((always_inline)) uint8_t cp_code_byte(
  cp_coder *c, cp_text *m, const uint8_t *text, size_t place, uint8_t given) {
  static const uint64_t masks[CP_ORDERS - 1] = {
    0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFFFF,
  };
  cp_counter *const counters = (cp_counter *)(m + 1);
  uint32_t hashes[CP_ORDERS];
  for (uint32_t i = 0; i < CP_ORDERS - 1; i++) hashes[i] = cp_hash(m->last & masks[i], i + 1);
  hashes[CP_ORDERS - 1] = cp_hash(m->word, CP_ORDERS);
  const int expected = m->length > 0 ? cp_byte_at(text, m->found) : 0;
  uint32_t length = m->length;
  uint32_t node = 1;
  for (int level = 7; level >= 0; level--) {
    // What was expected counts for as long as it comes true.
    const int bit_expected = expected >> level & 1;
    if (length > 0 && (uint32_t)((expected | 256) >> (level + 1)) != node) length = 0;
    cp_counter *inputs[CP_ORDERS + 1];
    for (int i = 0; i < CP_ORDERS; i++) {
      inputs[i] = counters + ((hashes[i] + node * 0x3D4D51CB) * 0x2545F491u >> 8 & m->mask);
    }
    inputs[CP_ORDERS] = &m->match[length][bit_expected];
    const uint32_t kind = level == 7 ? 0 : level > 4 ? 1 : level > 1 ? 2 : 3;
    const int bit = cp_mixed_bit(
      c, &m->tables, inputs, CP_ORDERS + 1, &m->weights[length][kind], given >> level & 1, 127, 14);
    node = node << 1 | (uint32_t)bit;
  }
  const uint8_t byte = (uint8_t)node;
  m->last = m->last << 8 | byte;
  const int is_letter = (byte | 32) >= 'a' && (byte | 32) <= 'z';
  m->word = is_letter ? (m->word + byte) * 0x2F0B4C47 : 0;
  // The match goes on, or another one begins.
  uint32_t *const known = &m->places[cp_hash(m->last & UINT64_C(0xFFFFFFFFFF), 0) >> (32 - CP_MATCH_BITS)];
  if (m->length > 0 && expected == byte) {
    m->found++;
    m->length += m->length < CP_LONGEST;
  } else {
    m->found = *known;
    m->length = 0;
    for (uint32_t back = 1; m->found >= back && m->length < CP_LONGEST; back++) {
      if (cp_byte_at(text, m->found - back) != (back == 1 ? byte : cp_byte_at(text, place + 1 - back))) break;
      m->length++;
    }
  }
  *known = (uint32_t)(place + 1);
  return byte;
}

#ifdef CP_ENCODING
static inline void cp_text_run(cp_coder *c, const uint8_t *text, size_t size, void *workspace) {
#else
static inline void cp_text_run(cp_coder *c, uint8_t *text, size_t size, void *workspace) {
#endif
  cp_text *const m = workspace;
  memset(m, 0, sizeof *m);
  cp_make_tables(&m->tables);
  for (int i = 0; i <= CP_LONGEST; i++) cp_reset_weights(m->weights[i], 4, CP_ORDERS + 1, 24);
  cp_reset_counters(m->match[0], 2 * (CP_LONGEST + 1));
  m->mask = ((uint32_t)1 << cp_text_bits(size)) - 1;
  cp_reset_counters((cp_counter *)(m + 1), (size_t)m->mask + 1);
  for (size_t i = 0; i < CP_PRIMER_SIZE; i++) cp_code_byte(NULL, m, text, i, cp_primer[i]);
  for (size_t i = 0; i < size; i++) {
#ifdef CP_ENCODING
    cp_code_byte(c, m, text, CP_PRIMER_SIZE + i, text[i]);
#else
    text[i] = cp_code_byte(c, m, text, CP_PRIMER_SIZE + i, 0);
#endif
  }
}
