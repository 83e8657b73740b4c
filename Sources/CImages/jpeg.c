// JPEG by libjpeg(-turbo).
#include "CImages.h"
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
// jpeglib.h needs FILE and size_t before it.
#include <jerror.h>
#include <jpeglib.h>

typedef struct {
  struct jpeg_error_mgr base;
  struct jpeg_progress_mgr progress;
  int most_scans;
  char *message;
  jmp_buf escape;
} manager;

static void on_error(j_common_ptr info) {
  manager *m = (manager *)info->err;
  char text[JMSG_LENGTH_MAX];
  (*info->err->format_message)(info, text);
  snprintf(m->message, CIMG_MESSAGE, "%s", text);
  longjmp(m->escape, 1);
}

// Warnings are data that was made up: a stream that ends early, or bytes that mean nothing. The others are harmless.
static void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  info->err->num_warnings++;
  int code = info->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE)
    on_error(info);
}

static void no_output(j_common_ptr info) { (void)info; }

static void on_progress(j_common_ptr info) {
  manager *m = (manager *)info->err;
  if (!info->is_decompressor) return;
  int scans = ((j_decompress_ptr)info)->input_scan_number;
  if (scans <= m->most_scans) return;
  snprintf(m->message, CIMG_MESSAGE, "more than %d scans", m->most_scans);
  longjmp(m->escape, 1);
}

static void prepare(j_decompress_ptr info, manager *m, char *message) {
  memset(info, 0, sizeof *info);
  memset(m, 0, sizeof *m);
  info->err = jpeg_std_error(&m->base);
  m->base.error_exit = on_error;
  m->base.emit_message = on_message;
  m->base.output_message = no_output;
  m->message = message;
}

int cimg_jpeg_size(const uint8_t *bytes, size_t count, uint32_t *width, uint32_t *height, char *message) {
  struct jpeg_decompress_struct info;
  manager m;
  prepare(&info, &m, message);
  if (setjmp(m.escape)) {
    jpeg_destroy_decompress(&info);
    return 0;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, bytes, count);
  jpeg_read_header(&info, TRUE);
  *width = info.image_width;
  *height = info.image_height;
  jpeg_destroy_decompress(&info);
  return 1;
}

// Four inks to red, green and blue in place; Adobe's files have them inverted.
static void from_inks(uint8_t *row, const uint8_t *inks, uint32_t width, int inverted) {
  for (uint32_t x = 0; x < width; x++) {
    unsigned k = inverted ? inks[4 * x + 3] : 255u - inks[4 * x + 3];
    for (int c = 0; c < 3; c++) {
      unsigned v = inverted ? inks[4 * x + c] : 255u - inks[4 * x + c];
      row[3 * x + c] = (uint8_t)((v * k + 127) / 255);
    }
  }
}

int cimg_jpeg_decode(const uint8_t *bytes, size_t count, int eighths, int most_scans, uint8_t *out, size_t capacity,
                     char *message) {
  struct jpeg_decompress_struct info;
  manager m;
  prepare(&info, &m, message);
  if (setjmp(m.escape)) {
    jpeg_destroy_decompress(&info);
    return 0;
  }
  jpeg_create_decompress(&info);
  m.most_scans = most_scans;
  m.progress.progress_monitor = on_progress;
  info.progress = &m.progress;
  // A progressive file is decoded whole, in two bytes for each number; what needs more is refused.
  info.mem->max_memory_to_use = CIMG_JPEG_MEMORY;
  jpeg_mem_src(&info, bytes, count);
  jpeg_read_header(&info, TRUE);
  int inks = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  info.out_color_space = inks ? JCS_CMYK : JCS_RGB;
  info.dct_method = JDCT_ISLOW;
  info.scale_num = (unsigned)eighths;
  info.scale_denom = 8;
  jpeg_calc_output_dimensions(&info);
  uint64_t width = info.output_width, height = info.output_height;
  if (info.output_components != (inks ? 4 : 3) || width * height > capacity / 3) {
    snprintf(message, CIMG_MESSAGE, "%llu x %llu pixels do not fit", (unsigned long long)width,
             (unsigned long long)height);
    jpeg_destroy_decompress(&info);
    return 0;
  }
  jpeg_start_decompress(&info);
  // Freed with `info`.
  JSAMPARRAY line = inks ? (*info.mem->alloc_sarray)((j_common_ptr)&info, JPOOL_IMAGE, (JDIMENSION)(width * 4), 1) : NULL;
  while (info.output_scanline < info.output_height) {
    uint8_t *row = out + (size_t)info.output_scanline * width * 3;
    if (inks) {
      jpeg_read_scanlines(&info, line, 1);
      from_inks(row, line[0], (uint32_t)width, info.saw_Adobe_marker);
    } else {
      JSAMPROW rows[1] = {row};
      jpeg_read_scanlines(&info, rows, 1);
    }
  }
  // What follows the last row is not needed.
  jpeg_abort_decompress(&info);
  jpeg_destroy_decompress(&info);
  return 1;
}
