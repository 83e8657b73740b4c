// PNG by libpng. Colours are taken as they are written: no gamma, no profile, no transparency.
#include "CImages.h"
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  const uint8_t *bytes;
  size_t left;
} source;

static void on_error(png_structp png, png_const_charp text) {
  snprintf(png_get_error_ptr(png), CIMG_MESSAGE, "%s", text);
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void read_bytes(png_structp png, png_bytep out, size_t count) {
  source *from = png_get_io_ptr(png);
  if (count > from->left) png_error(png, "the data ends early");
  memcpy(out, from->bytes, count);
  from->bytes += count;
  from->left -= count;
}

// A reader and what it will know of the image; NULL, with a message, where there is no memory.
static png_structp reader(png_infop *info, char *message) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, message, on_error, on_warning);
  *info = png ? png_create_info_struct(png) : NULL;
  if (*info) return png;
  snprintf(message, CIMG_MESSAGE, "no memory to read it");
  png_destroy_read_struct(&png, NULL, NULL);
  return NULL;
}

// The reader in front of the image's data; what is neither size nor colour is passed over unread.
static void begin(png_structp png, png_infop info, source *from) {
  png_set_read_fn(png, from, read_bytes);
#ifdef PNG_SET_UNKNOWN_CHUNKS_SUPPORTED
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
#endif
  png_read_info(png, info);
}

int cimg_png_size(const uint8_t *bytes, size_t count, uint32_t *width, uint32_t *height, char *message) {
  source from = {bytes, count};
  png_infop info;
  png_structp png = reader(&info, message);
  if (!png) return 0;
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    return 0;
  }
  begin(png, info, &from);
  *width = png_get_image_width(png, info);
  *height = png_get_image_height(png, info);
  png_destroy_read_struct(&png, &info, NULL);
  return 1;
}

int cimg_png_decode(const uint8_t *bytes, size_t count, uint8_t *out, size_t capacity, char *message) {
  source from = {bytes, count};
  png_infop info;
  png_structp png = reader(&info, message);
  if (!png) return 0;
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    return 0;
  }
  begin(png, info, &from);
  // Palettes and few bits become bytes, 16 bits their upper byte, and grey three times the same; alpha goes.
  png_set_expand(png);
  png_set_strip_16(png);
  png_set_strip_alpha(png);
  png_set_gray_to_rgb(png);
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  uint64_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
  if (png_get_rowbytes(png, info) != width * 3 || width * height > capacity / 3)
    png_error(png, "its pixels do not fit");
  // Each pass of an interlaced image fills in pixels between those of the ones before.
  for (int pass = 0; pass < passes; pass++)
    for (uint64_t y = 0; y < height; y++) png_read_row(png, out + y * width * 3, NULL);
  png_destroy_read_struct(&png, &info, NULL);
  return 1;
}

int cimg_png_encode(const uint8_t *pixels, uint32_t width, uint32_t height, uint8_t *out, size_t capacity,
                    size_t *count, char *message) {
  png_image image = {.version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_RGB};
  png_alloc_size_t size = capacity;
  int success = png_image_write_to_memory(&image, out, &size, 0, pixels, 0, NULL);
  if (!success) snprintf(message, CIMG_MESSAGE, "%s", image.message);
  png_image_free(&image);
  *count = size;
  return success;
}
