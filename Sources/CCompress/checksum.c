#include "compiled-plan.h"

#include <string.h>

// Of the polynomial EDB88320, eight bytes at a time: entries[k][b] is what byte b does with k bytes behind it.
uint32_t cx_crc32(uint32_t before, const void *bytes, size_t size) {
  uint32_t entries[8][256];
  for (uint32_t b = 0; b < 256; b++) {
    uint32_t crc = b;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    entries[0][b] = crc;
  }
  for (int k = 1; k < 8; k++) {
    for (uint32_t b = 0; b < 256; b++) {
      entries[k][b] = entries[k - 1][b] >> 8 ^ entries[0][entries[k - 1][b] & 255];
    }
  }
  const uint8_t *at = bytes;
  uint32_t crc = ~before;
  for (; size >= 8; size -= 8, at += 8) {
    uint64_t eight;
    memcpy(&eight, at, sizeof eight);
    eight ^= crc;
    crc = entries[7][eight & 255] ^ entries[6][eight >> 8 & 255] ^ entries[5][eight >> 16 & 255] ^
          entries[4][eight >> 24 & 255] ^ entries[3][eight >> 32 & 255] ^ entries[2][eight >> 40 & 255] ^
          entries[1][eight >> 48 & 255] ^ entries[0][eight >> 56];
  }
  for (; size > 0; size--, at++) crc = crc >> 8 ^ entries[0][(crc ^ *at) & 255];
  return ~crc;
}
