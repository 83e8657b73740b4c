// Streams of a packed file: the elements of tensors, entropy-coded. docs/packed-format.md describes the bytes.
//
// Nothing here allocates, reads global state or calls the C library but for memcpy and memset; a caller hands in a
// workspace, whose size is known from the pieces alone. Encoder and decoder are one source (`*.inc.h`), compiled twice,
// and count in integers only: the same elements give the same bytes everywhere.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifndef __clang__
#define _Nullable
#define _Nonnull
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// What the elements are.
enum {
  cp_int8 = 0,
  cp_uint8 = 1,
  cp_int32 = 2,
  cp_float32 = 3,
  cp_float16 = 4,
  cp_bfloat16 = 5,
};

/// A run of consecutive elements of a tensor.
typedef struct {
  /// The first element of the run; written by the decoder. Aligned for its type.
  void *_Nullable values;
  /// How many elements it has.
  uint64_t count;
  /// Where it begins in its tensor; a multiple of `row` unless the run is part of one row.
  uint64_t first;
  /// Elements of one index of axis 0, and of the last axis; at least 1, and `inner` divides `row`.
  uint64_t row, inner;
  /// What is taken off integers of 8 bits, so that zero stands for the value zero: none, one, or one a row; itself such
  /// an integer.
  const int16_t *_Nullable offsets;
  uint64_t offset_count;
  int32_t kind;
} cp_piece;

/// How the elements of a stream are coded.
enum {
  /// As they are in memory, little-endian.
  cp_plain = 0,
  /// All alike: one of them.
  cp_constant = 1,
  /// Integers with as many bits as they need.
  cp_bits = 2,
  /// Static range asymmetric numeral systems over bytes.
  cp_rans = 3,
  /// Adaptive models, mixed; the one coding for several pieces in a stream.
  cp_mixed = 4,
};
#define CP_CODINGS 5

/// Bytes of workspace that coding these pieces in one stream takes, in either direction; it is aligned to 16 bytes.
size_t cp_workspace(int coding, const cp_piece *_Nonnull pieces, size_t count);

/// Codes the pieces, one after the other. Returns the bytes written, or 0 when they are more than `capacity` or the
/// coding is not for such pieces. `bits`, where it is given, is filled with what each piece takes of the stream.
size_t cp_encode(
  int coding, const cp_piece *_Nonnull pieces, size_t count, void *_Nonnull workspace, uint8_t *_Nonnull out,
  size_t capacity, uint64_t *_Nullable bits);

/// Fills the pieces. Returns 0 when the bytes cannot be such a stream of such pieces, else 1. What is damaged otherwise
/// gives other elements, which is for checksums to find. `bits` as above.
int cp_decode(
  int coding, const cp_piece *_Nonnull pieces, size_t count, void *_Nonnull workspace, const uint8_t *_Nonnull bytes,
  size_t size, uint64_t *_Nullable bits);

/// Bytes of an element.
static inline size_t cp_element_size(int32_t kind) { return kind <= cp_uint8 ? 1 : kind <= cp_float32 ? 4 : 2; }

#ifdef __cplusplus
}
#endif
