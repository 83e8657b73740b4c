#include "model.h"

#include <stdarg.h>
#include <stdio.h>

compress_status cx_fail(compress_error *error, compress_status status, const char *format, ...) {
  if (!error) return status;
  error->status = status;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->text, sizeof error->text, format, arguments);
  va_end(arguments);
  for (unsigned char *c = (unsigned char *)error->text; *c; c++) {
    if (*c < 0x20 || *c == 0x7F) *c = '?';
    if (*c == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0) c[0] = c[1] = '?';
  }
  return status;
}
