// Files: what is under the folders named, and nothing else.
#if defined(__linux__)
#define _GNU_SOURCE  // O_PATH, syscall
#include "walls.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// As in <linux/landlock.h>, of which a distribution's copy may be older than its kernel.
enum { create_ruleset = 444, add_rule = 445, restrict_self = 446, path_beneath = 1, ask_version = 1 };

struct ruleset {
  uint64_t files;
  uint64_t network;
  uint64_t scopes;
};

struct rule {
  uint64_t allowed;
  int32_t parent;
} __attribute__((packed));

enum {
  execute = 1 << 0, write_file = 1 << 1, read_file = 1 << 2, read_folder = 1 << 3, remove_folder = 1 << 4,
  remove_file = 1 << 5, make_character = 1 << 6, make_folder = 1 << 7, make_file = 1 << 8, make_socket = 1 << 9,
  make_fifo = 1 << 10, make_block = 1 << 11, make_link = 1 << 12, refer = 1 << 13, truncate_file = 1 << 14,
  control_device = 1 << 15,
};

static const uint64_t first_version = (make_link << 1) - 1;
static const uint64_t of_files = execute | write_file | read_file | truncate_file | control_device;
static const uint64_t reading = read_file | read_folder;
// No links, no devices, no moving between folders with other rights: the program makes none.
static const uint64_t writing = reading | write_file | truncate_file | remove_file | remove_folder | make_file |
                                make_folder;

int landlock_version(void) {
  long version = syscall(create_ruleset, NULL, 0, ask_version);
  return version > 0 ? (int)version : 0;
}

// Below a folder that the kernel makes up anew whenever it is looked at, rules last as long as somebody holds it.
static bool is_ephemeral(const char *path) { return strncmp(path, "/proc/", 6) == 0; }

static int allow(int rules, const char *path, uint64_t rights, uint64_t handled) {
  int file = open(path, O_PATH | O_CLOEXEC);
  if (file < 0) return 0;
  struct stat status;
  int error = fstat(file, &status) < 0 ? errno : 0;
  if (!error) {
    if (!S_ISDIR(status.st_mode)) rights &= of_files;
    struct rule rule = {rights & handled, file};
    if (rule.allowed && syscall(add_rule, rules, path_beneath, &rule, 0) < 0) error = errno;
  }
  if (error || !is_ephemeral(path)) close(file);
  return error;
}

int landlock_confine(const cconfine_rights *rights) {
  int version = landlock_version();
  if (version == 0) return ENOSYS;
  struct ruleset wanted = {.files = first_version};
  if (version >= 2) wanted.files |= refer;
  if (version >= 3) wanted.files |= truncate_file;
  if (version >= 4 && !rights->network) wanted.network = 3;  // TCP: bind, connect
  if (version >= 5) wanted.files |= control_device;
  if (version >= 6) wanted.scopes = 3;  // abstract sockets, signals
  size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  int rules = (int)syscall(create_ruleset, &wanted, size, 0);
  if (rules < 0) return errno;
  int error = 0;
  for (size_t i = 0; i < rights->readable_count && !error; i++)
    error = allow(rules, rights->readable[i], reading, wanted.files);
  for (size_t i = 0; i < rights->writable_count && !error; i++)
    error = allow(rules, rights->writable[i], writing, wanted.files);
  if (!error && syscall(restrict_self, rules, 0) < 0) error = errno;
  close(rules);
  return error;
}
#endif
