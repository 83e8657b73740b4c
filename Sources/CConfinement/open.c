// The library behind Dispatch's queues looks at its own threads as /proc/THREAD/stat, and ends the process when it
// cannot. That name lies outside of what a confined process may read of /proc, which is itself; what it leads to lies
// inside under another name. So this file's `open`, which comes before the C library's for everything in the process,
// says that other name.
#if defined(__linux__)
#define _GNU_SOURCE  // O_TMPFILE, syscall
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// The number in `/proc/NUMBER/stat`; 0 for any other path.
static int thread_of(const char *path) {
  if (strncmp(path, "/proc/", 6) != 0) return 0;
  int thread = 0;
  for (path += 6; *path >= '0' && *path <= '9' && thread < 100000000; path++) thread = 10 * thread + (*path - '0');
  return strcmp(path, "/stat") == 0 ? thread : 0;
}

int open(const char *path, int flags, ...) {
  mode_t mode = 0;
  if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  int thread = thread_of(path);
  if (thread > 0) {
    char own[64];
    snprintf(own, sizeof own, "/proc/self/task/%d/stat", thread);
    int file = (int)syscall(SYS_openat, AT_FDCWD, own, flags, mode);
    if (file >= 0) return file;
  }
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
#endif
