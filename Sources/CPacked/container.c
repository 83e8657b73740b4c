#include "packed-container.h"

#include <string.h>

static const uint8_t magic[CP_MAGIC_SIZE] = {0x89, 'C', 'M', 'Z'};

enum { checksum_size = 4 };

uint32_t cp_crc32(uint32_t before, const uint8_t *bytes, size_t size) {
  // Of the polynomial EDB88320, four bits at a time.
  static const uint32_t table[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
  };
  uint32_t crc = ~before;
  for (size_t i = 0; i < size; i++) {
    crc ^= bytes[i];
    crc = crc >> 4 ^ table[crc & 15];
    crc = crc >> 4 ^ table[crc & 15];
  }
  return ~crc;
}

int cp_is_packed(const uint8_t *bytes, size_t size) {
  return size >= CP_MAGIC_SIZE && memcmp(bytes, magic, CP_MAGIC_SIZE) == 0;
}

int cp_is_intact(const uint8_t *bytes, uint64_t offset, uint64_t size) {
  const uint8_t *const stored = bytes + offset + size;
  const uint32_t checksum =
    (uint32_t)stored[0] | (uint32_t)stored[1] << 8 | (uint32_t)stored[2] << 16 | (uint32_t)stored[3] << 24;
  return cp_crc32(0, bytes + offset, size) == checksum;
}

/// A cursor that stops at the end.
typedef struct {
  const uint8_t *bytes;
  uint64_t at, end;
  int is_short;
} cp_reader;

static uint64_t byte_of(cp_reader *r) {
  if (r->at == r->end) {
    r->is_short = 1;
    return 0;
  }
  return r->bytes[r->at++];
}

/// Seven bits a byte, the lowest first; all but the last byte have their highest bit set. Below 2^49.
static uint64_t number_of(cp_reader *r) {
  uint64_t value = 0;
  for (int shift = 0; shift < 49; shift += 7) {
    const uint64_t byte = byte_of(r);
    value |= (byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  r->is_short = 1;
  return 0;
}

static cp_stream entry_of(cp_reader *r) {
  cp_stream stream = {.coding = (int32_t)byte_of(r)};
  stream.elements = number_of(r);
  stream.size = number_of(r);
  return stream;
}

int cp_open(const uint8_t *bytes, size_t size, cp_head *head) {
  *head = (cp_head){.version = 0};
  if (!cp_is_packed(bytes, size)) return cp_not_packed;
  cp_reader r = {.bytes = bytes, .at = CP_MAGIC_SIZE, .end = size, .is_short = 0};
  head->version = (uint32_t)byte_of(&r);
  if (r.is_short) return cp_truncated;
  if (head->version != CP_VERSION) return cp_wrong_version;
  head->text_size = number_of(&r);
  head->text_coded = number_of(&r);
  head->streams = number_of(&r);
  head->entries_offset = r.at;
  if (r.is_short) return cp_truncated;
  // An entry has three bytes or more: what is claimed must be there before it is walked through.
  if (head->streams > CP_MOST_STREAMS || head->text_size > CP_LONGEST_TEXT) return cp_excessive;
  if (head->text_size > CP_TEXT_CLAIM + head->text_coded * CP_TEXT_CLAIM_PER_BYTE) return cp_excessive;
  if (head->streams > (size - r.at) / 3) return cp_truncated;
  int is_unknown = 0;
  const uint64_t most = CP_CLAIM + (uint64_t)size * CP_CLAIM_PER_BYTE;
  uint64_t sizes = head->text_coded, elements = 0;
  for (uint64_t i = 0; i < head->streams && !r.is_short; i++) {
    const cp_stream stream = entry_of(&r);
    is_unknown |= stream.coding >= CP_CODINGS;
    // Sums stop growing once they are too large, so that they never wrap around: 2^20 numbers below 2^49 may.
    if (sizes <= size) sizes += stream.size;
    if (elements <= most) elements += stream.elements;
  }
  const uint64_t head_end = r.at;
  if (r.is_short || size - head_end < checksum_size) return cp_truncated;
  if (!cp_is_intact(bytes, 0, head_end)) return cp_damaged;
  // From here on the head is what somebody wrote.
  if (is_unknown) return cp_unknown_coding;
  head->text_offset = head_end + checksum_size;
  const uint64_t end = head->text_offset + sizes + (head->streams + 1) * checksum_size;
  if (end != size) return end > size ? cp_truncated : cp_too_long;
  // Each stream takes time of its own, however little is in it.
  if (head->streams > CP_FEW_STREAMS + elements / CP_LEAST_ELEMENTS) return cp_excessive;
  if (elements > most) return cp_excessive;
  return cp_ok;
}

void cp_list_streams(const uint8_t *bytes, const cp_head *head, cp_stream *streams) {
  cp_reader r = {.bytes = bytes, .at = head->entries_offset, .end = head->text_offset - checksum_size, .is_short = 0};
  uint64_t offset = head->text_offset + head->text_coded + checksum_size;
  for (uint64_t i = 0; i < head->streams; i++) {
    streams[i] = entry_of(&r);
    streams[i].offset = offset;
    offset += streams[i].size + checksum_size;
  }
}
