#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static compress_status refused(compress_error *error, const char *path, int number) {
  char said[128];
  if (strerror_r(number, said, sizeof said) != 0) {
    return cx_fail(error, COMPRESS_SYSTEM, "%.300s: error %d", path, number);
  }
  return cx_fail(error, COMPRESS_SYSTEM, "%.300s: %s", path, said);
}

compress_status cx_file_open(const char *path, cx_file *file, compress_error *error) {
  *file = (cx_file){0};
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return refused(error, path, errno);
  struct stat status;
  compress_status result = COMPRESS_OK;
  if (fstat(descriptor, &status) != 0) {
    result = refused(error, path, errno);
  } else if (!S_ISREG(status.st_mode) || status.st_size == 0) {
    result = cx_fail(error, COMPRESS_NO_PLAN, "%.300s: is %s", path,
                     S_ISREG(status.st_mode) ? "an empty file" : "no regular file");
  } else {
    void *mapping = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (mapping == MAP_FAILED) result = refused(error, path, errno);
    else *file = (cx_file){mapping, (size_t)status.st_size, mapping, NULL};
  }
  close(descriptor);
  return result;
}

compress_status cx_file_of_memory(const void *bytes, size_t size, cx_file *file, compress_error *error) {
  *file = (cx_file){bytes, size, NULL, NULL};
  if ((uintptr_t)bytes % CX_ALIGNMENT == 0 || size < sizeof(cx_head)) return COMPRESS_OK;
  if (size > SIZE_MAX - CX_ALIGNMENT) return cx_fail(error, COMPRESS_ARGUMENT, "%zu bytes are no file", size);
  file->copy = aligned_alloc(CX_ALIGNMENT, (size + CX_ALIGNMENT - 1) / CX_ALIGNMENT * CX_ALIGNMENT);
  if (!file->copy) return cx_fail(error, COMPRESS_SYSTEM, "no memory for %zu bytes", size);
  memcpy(file->copy, bytes, size);
  file->bytes = file->copy;
  return COMPRESS_OK;
}

void cx_file_close(cx_file *file) {
  if (file->mapping) munmap(file->mapping, file->size);
  free(file->copy);
}
