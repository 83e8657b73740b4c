// PNG by libpng's simplified interface, which keeps its longjmp to itself.
#include "CImages.h"
#include <png.h>
#include <stdio.h>
#include <string.h>

static int begin(png_image *image, const uint8_t *bytes, size_t count, char *message) {
  memset(image, 0, sizeof *image);
  image->version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(image, bytes, count)) return 1;
  snprintf(message, CIMG_MESSAGE, "%s", image->message);
  return 0;
}

int cimg_png_size(const uint8_t *bytes, size_t count, uint32_t *width, uint32_t *height, char *message) {
  png_image image;
  if (!begin(&image, bytes, count, message)) return 0;
  *width = image.width;
  *height = image.height;
  png_image_free(&image);
  return 1;
}

int cimg_png_decode(const uint8_t *bytes, size_t count, uint8_t *out, size_t capacity, char *message) {
  png_image image;
  if (!begin(&image, bytes, count, message)) return 0;
  image.format = PNG_FORMAT_RGB;
  if ((uint64_t)image.width * image.height > capacity / 3) {
    snprintf(message, CIMG_MESSAGE, "%u x %u pixels do not fit", image.width, image.height);
    png_image_free(&image);
    return 0;
  }
  png_color black = {0, 0, 0};
  if (png_image_finish_read(&image, &black, out, 0, NULL)) return 1;
  snprintf(message, CIMG_MESSAGE, "%s", image.message);
  png_image_free(&image);
  return 0;
}
