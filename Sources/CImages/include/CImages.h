// JPEG and PNG as red, green and blue bytes. libjpeg and libpng report errors by longjmp, which may not cross a Swift
// frame: that is why this is C. Nothing is allocated for the caller, and nothing is decoded that does not fit its buffer.
#pragma once
#include <stddef.h>
#include <stdint.h>

// All functions return 1, or 0 with a message.
#define CIMG_MESSAGE 256

// What libjpeg may hold of one image besides the output: 192 MiB, 32 million pixels of a progressive file in full colour.
#define CIMG_JPEG_MEMORY (192L << 20)

// Width and height from the header; nothing else is decoded.
int cimg_jpeg_size(const uint8_t *bytes, size_t count, uint32_t *width, uint32_t *height, char *message);

// Decodes at `eighths`/8 of the size: (width * eighths + 7) / 8 columns, likewise rows. out is (rows, columns, 3);
// capacity in bytes. Images that end early are an error, and so are those of more than `most_scans` scans: a few
// kilobytes of a progressive file can ask for hours of work.
int cimg_jpeg_decode(const uint8_t *bytes, size_t count, int eighths, int most_scans, uint8_t *out, size_t capacity,
                     char *message);

int cimg_png_size(const uint8_t *bytes, size_t count, uint32_t *width, uint32_t *height, char *message);

// out is (height, width, 3), bytes as the file has them: gamma, profiles and alpha change nothing, and of 16 bits the
// upper 8 are taken, as Pillow and torchvision do.
int cimg_png_decode(const uint8_t *bytes, size_t count, uint8_t *out, size_t capacity, char *message);

// Writes (height, width, 3) as a PNG: 1 with its size in *count, 0 where it does not fit the capacity, too.
int cimg_png_encode(const uint8_t *pixels, uint32_t width, uint32_t height, uint8_t *out, size_t capacity,
                    size_t *count, char *message);
