// Damages packed files and opens them: for packed.sh, under the sanitizers. Streams are decoded into memory of just
// their size, from bytes of just their size, so that whatever reads or writes beyond is found; checksums are made right
// again for most files, or nothing but these would ever be tried.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packed-container.h"

static uint64_t state;

static uint32_t below(uint32_t limit) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)((state >> 33) % limit);
}

enum { most_pieces = 6, most_bytes = 1 << 16, most_streams = 40 };

/// A piece of random elements, which the caller frees.
static cp_piece piece_of(int kind, int16_t *offsets) {
  const uint64_t inner = 1 + below(12), row = inner * (1 + below(8)), rows = 1 + below(12), count = row * rows;
  const size_t size = cp_element_size(kind);
  uint8_t *const values = calloc(count + 1, size);
  for (uint64_t i = 0; i < count * size; i++) {
    if (below(3) == 0) values[i] = (uint8_t)(below(256) >> below(8));
  }
  cp_piece piece = {.values = values, .count = count, .first = 0, .row = row, .inner = inner, .kind = kind};
  if (kind <= cp_uint8 && below(2) == 0) {
    for (uint64_t i = 0; i < rows; i++) offsets[i] = (int16_t)((int)below(256) - (kind == cp_int8 ? 128 : 0));
    piece.offsets = offsets;
    piece.offset_count = below(2) == 0 ? 1 : rows;
  }
  return piece;
}

static size_t number(uint8_t *out, uint64_t value) {
  size_t size = 0;
  for (; value >= 0x80; value >>= 7) out[size++] = (uint8_t)(value | 0x80);
  out[size++] = (uint8_t)value;
  return size;
}

static size_t seal(uint8_t *bytes, size_t size) {
  const uint32_t checksum = cp_crc32(0, bytes, size);
  for (int i = 0; i < 4; i++) bytes[size + i] = (uint8_t)(checksum >> (8 * i));
  return size + 4;
}

typedef struct {
  cp_piece pieces[most_pieces];
  int16_t offsets[most_pieces][16];
  int count;
} content;

/// A file of a text and a stream for each piece, or one for all of them.
static size_t write_file(const content *c, uint8_t *file) {
  uint8_t text[300], coded[600];
  static const char words[] = "{\"graph\":{\"nodes\":[{\"inputs\":[],\"name\":\"input\",\"op\":{\"op\":\"input\"}}]}}";
  const size_t text_size = below(sizeof text);
  for (size_t i = 0; i < text_size; i++) text[i] = (uint8_t)words[i % (sizeof words - 1)];
  void *workspace = malloc(cp_text_workspace(text_size));
  const size_t text_coded = cp_text_encode(text, text_size, workspace, coded, sizeof coded);
  free(workspace);

  const int is_one = below(2) == 0, streams = is_one ? 1 : c->count;
  static uint8_t bytes[most_pieces][most_bytes];
  size_t sizes[most_pieces];
  int codings[most_pieces];
  for (int i = 0; i < streams; i++) {
    const size_t count = is_one ? (size_t)c->count : 1;
    for (;;) {
      codings[i] = is_one ? cp_mixed : (int)below(CP_CODINGS);
      workspace = malloc(cp_workspace(codings[i], &c->pieces[i], count));
      sizes[i] = cp_encode(codings[i], &c->pieces[i], count, workspace, bytes[i], most_bytes, NULL);
      free(workspace);
      if (sizes[i] > 0) break;
    }
  }
  static const uint8_t begin[] = {0x89, 'C', 'M', 'Z', CP_VERSION};
  memcpy(file, begin, sizeof begin);
  size_t size = sizeof begin;
  size += number(file + size, text_size);
  size += number(file + size, text_coded);
  size += number(file + size, (uint64_t)streams);
  for (int i = 0; i < streams; i++) {
    uint64_t elements = 0;
    for (int k = i; k < (is_one ? c->count : i + 1); k++) elements += c->pieces[k].count;
    file[size++] = (uint8_t)codings[i];
    size += number(file + size, elements);
    size += number(file + size, sizes[i]);
  }
  size = seal(file, size);
  memcpy(file + size, coded, text_coded);
  size += seal(file + size, text_coded);
  for (int i = 0; i < streams; i++) {
    memcpy(file + size, bytes[i], sizes[i]);
    size += seal(file + size, sizes[i]);
  }
  return size;
}

/// Opens as a reader would; returns whether it was a whole file. `is_lenient`: checksums are not asked about.
static int open_file(const uint8_t *file, size_t size, const content *c, int is_lenient) {
  cp_head head;
  if (cp_open(file, size, &head) != cp_ok || head.streams > most_streams) return 0;
  if (!is_lenient && !cp_is_intact(file, head.text_offset, head.text_coded)) return 0;
  uint8_t *const text = malloc(head.text_size + 1);
  void *workspace = malloc(cp_text_workspace(head.text_size));
  cp_text_decode(text, head.text_size, workspace, file + head.text_offset, head.text_coded);
  free(workspace);
  free(text);
  cp_stream streams[most_streams];
  cp_list_streams(file, &head, streams);
  uint64_t wanted = 0, there = 0;
  for (int i = 0; i < c->count; i++) wanted += c->pieces[i].count;
  for (uint64_t i = 0; i < head.streams; i++) there += streams[i].elements;
  if (wanted != there) return 0;
  int piece = 0, is_whole = 1;
  uint64_t first = 0;
  for (uint64_t i = 0; i < head.streams; i++) {
    cp_piece pieces[most_pieces];
    uint64_t bits[most_pieces], left = streams[i].elements;
    size_t count = 0;
    while (left > 0) {
      cp_piece part = c->pieces[piece];
      part.first = first;
      part.count = left < part.count - first ? left : part.count - first;
      part.values = malloc(part.count * cp_element_size(part.kind));
      left -= part.count;
      first += part.count;
      if (first == c->pieces[piece].count) piece++, first = 0;
      pieces[count++] = part;
    }
    uint8_t *const bytes = malloc(streams[i].size + 1);
    memcpy(bytes, file + streams[i].offset, streams[i].size);
    if (is_lenient || cp_is_intact(file, streams[i].offset, streams[i].size)) {
      workspace = malloc(cp_workspace(streams[i].coding, pieces, count));
      is_whole &= cp_decode(streams[i].coding, pieces, count, workspace, bytes, streams[i].size, bits);
      free(workspace);
    } else {
      is_whole = 0;
    }
    free(bytes);
    for (size_t k = 0; k < count; k++) free(pieces[k].values);
  }
  return is_whole;
}

/// Makes the checksum of the head right, where there is one.
static void mend_head(uint8_t *file, size_t size, size_t head_end) {
  if (head_end + 4 <= size) seal(file, head_end);
}

int main(int argc, char **argv) {
  const unsigned long files = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
  state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
  static uint8_t file[(most_pieces + 1) * most_bytes];
  unsigned long whole = 0;
  for (unsigned long n = 0; n < files;) {
    content c = {.count = 1 + (int)below(most_pieces)};
    for (int i = 0; i < c.count; i++) c.pieces[i] = piece_of((int)below(6), c.offsets[i]);
    const size_t size = write_file(&c, file);
    if (!open_file(file, size, &c, 0)) {
      fprintf(stderr, "a file that is whole cannot be opened\n");
      return 1;
    }
    cp_head head;
    cp_open(file, size, &head);
    const size_t head_end = head.text_offset - 4;
    for (int damage = 0; damage < 32; damage++, n++) {
      uint8_t *const damaged = malloc(size);
      memcpy(damaged, file, size);
      const uint32_t kind = below(8);
      size_t length = size;
      for (uint32_t i = 0; i <= below(4); i++) {
        // In the head more often than its length asks for.
        const size_t at = kind < 3 ? 5 + below((uint32_t)(head_end - 5)) : below((uint32_t)size);
        damaged[at] = below(2) == 0 ? (uint8_t)below(256) : damaged[at] ^ (uint8_t)(1u << below(8));
      }
      if (kind == 3) length = below((uint32_t)size);
      if (kind != 4) mend_head(damaged, length, head_end);
      uint8_t *const exact = malloc(length + 1);
      memcpy(exact, damaged, length);
      whole += (unsigned long)open_file(exact, length, &c, kind != 5);
      free(exact);
      free(damaged);
    }
    for (int i = 0; i < c.count; i++) free(c.pieces[i].values);
  }
  printf("%lu damaged files; %lu of them gave some elements\n", files, whole);
  return whole > 0 ? 0 : 1;
}
