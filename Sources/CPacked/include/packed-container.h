// The outermost layer of a packed file: its head, which says where everything else is, and checksums.
// docs/packed-format.md describes the bytes.
#pragma once
#include "packed-stream.h"
#include "packed-text.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CP_MAGIC_SIZE 4
#define CP_VERSION 1
/// Most bytes of the description, and most streams.
#define CP_LONGEST_TEXT (16u << 20)
#define CP_MOST_STREAMS (1u << 20)
/// A file claims at most so many elements, and so many more for each byte it has.
#define CP_CLAIM ((uint64_t)1 << 28)
#define CP_CLAIM_PER_BYTE 1024
/// There is at most a stream for so many elements, and so many more.
#define CP_LEAST_ELEMENTS 64
#define CP_FEW_STREAMS 16
/// Its description claims at most so many bytes, and so many more for each byte that is coded.
#define CP_TEXT_CLAIM (1u << 16)
#define CP_TEXT_CLAIM_PER_BYTE 256

/// What is wrong with a file.
enum {
  cp_ok = 0,
  cp_not_packed = 1,
  cp_wrong_version = 2,
  cp_truncated = 3,
  cp_too_long = 4,
  cp_damaged = 5,
  cp_excessive = 6,
  cp_unknown_coding = 7,
};

typedef struct {
  uint32_t version;
  /// Bytes of the description, and its coded bytes.
  uint64_t text_size, text_offset, text_coded;
  uint64_t streams;
  /// Where the entries of the streams stand.
  uint64_t entries_offset;
} cp_head;

typedef struct {
  int32_t coding;
  uint64_t elements;
  /// Of its bytes in the file; its checksum follows them.
  uint64_t offset, size;
} cp_stream;

/// Whether the bytes begin as a packed file does.
int cp_is_packed(const uint8_t *_Nullable bytes, size_t size);

/// Reads and checks the head. Returns `cp_ok`, or what is wrong; `head->version` is set from `cp_wrong_version` on.
int cp_open(const uint8_t *_Nullable bytes, size_t size, cp_head *_Nonnull head);

/// Fills `head->streams` entries; the head has been checked, and lists them.
void cp_list_streams(const uint8_t *_Nonnull bytes, const cp_head *_Nonnull head, cp_stream *_Nonnull streams);

/// Whether the checksum behind a part of the file is that of its bytes.
int cp_is_intact(const uint8_t *_Nonnull bytes, uint64_t offset, uint64_t size);

/// zlib's CRC-32, going on from the one of what stands before.
uint32_t cp_crc32(uint32_t before, const uint8_t *_Nullable bytes, size_t size);

#ifdef __cplusplus
}
#endif
