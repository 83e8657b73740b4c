// The second wall: what a process may do once somebody else's code runs in it.
//
// Two halves. `cconfine` takes rights away from the calling process for good: files outside of given folders, new
// programs, sockets, other processes. The broker is a process forked before that, which keeps them and starts those
// programs that it was told of before it was sealed, with arguments of stated forms, and nothing else.
//
// Everywhere but on Linux the functions say ENOSYS.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// MARK: Confinement

/// What the process keeps. Paths that do not exist are passed over.
typedef struct {
  /// Files and folders, with all below, that stay readable.
  const char *_Nonnull const *_Nullable readable;
  size_t readable_count;
  /// Folders in which files and folders may be made, written, renamed and removed; nothing there can be executed, and
  /// links cannot be made.
  const char *_Nonnull const *_Nullable writable;
  size_t writable_count;
  /// Bytes of private writable memory; 0: no limit. Not applied under the address sanitizer, whose shadow counts.
  uint64_t data_bytes;
  /// Bytes of the largest file that can be written; 0: no limit.
  uint64_t file_bytes;
  /// Sockets may be made and code may be loaded: for a process that talks to a server.
  bool network;
} cconfine_rights;

/// What the kernel has, and after `cconfine` what holds.
typedef struct {
  bool no_new_privileges;
  /// The version of Landlock; 0: none.
  int landlock;
  bool seccomp;
  bool memory_limit;
  bool file_limit;
} cconfine_walls;

/// What this machine's kernel offers.
cconfine_walls cconfine_available(void);

/// Confines the calling process for good, with all walls that the kernel has. To be called while it has one thread.
///
/// Returns 0 and fills `walls` with what holds now; EBUSY when there are more threads; otherwise the errno of the wall
/// that the kernel has and refused.
int cconfine(const cconfine_rights *_Nonnull rights, cconfine_walls *_Nonnull walls);

/// How many threads the calling process has; 0 when that cannot be found out.
int cconfine_threads(void);

// MARK: The broker

/// Places for values in the arguments of a program: the byte `cbroker_value`, then the form of the value.
enum {
  cbroker_value = 1,
  /// One to nine digits.
  cbroker_digits = 'd',
  /// An absolute path without a component `..`.
  cbroker_path = 'p',
  /// Digits with commas between them.
  cbroker_list = 'l',
};

/// What is said of a child over its descriptor, once as `started` or `refused`, then as `ended`.
typedef struct {
  int32_t kind;
  /// The process, an errno, or a status as of waitpid.
  int32_t value;
} cbroker_news;

enum { cbroker_started = 1, cbroker_refused = 2, cbroker_ended = 3 };

/// Forks the broker. To be called once, before there is a second thread. Returns 0 or an errno.
int cbroker_begin(void);

/// The broker's process; 0 before `cbroker_begin`.
pid_t cbroker_process(void);

/// Tells the broker of a program: its arguments, the first of which is its absolute path, with places for values. When
/// `is_own` the file that this process was started from is run, whatever its path leads to by then.
///
/// Returns the program's number, or a negative errno.
int cbroker_add(const char *_Nonnull const *_Nonnull arguments, size_t count, bool is_own);

/// A folder that the broker removes with everything in it once the calling process has ended. Returns 0 or an errno.
int cbroker_scratch(const char *_Nonnull path);

/// From now on the broker starts programs and learns of no others. Returns 0 or an errno.
int cbroker_seal(void);

/// Starts a program with these descriptors as its standard input, output and errors, and values for its places in their
/// order. `*news` becomes a descriptor from which a `cbroker_news` can be read for everything that happens to it; it
/// ends when the broker does. Returns 0 or an errno.
int cbroker_start(
    int program, const char *_Nonnull const *_Nullable values, size_t count, const int descriptors[_Nonnull 3],
    int *_Nonnull news);

/// Sends SIGTERM or SIGKILL to a child of the broker's; anything else is ignored there. Returns 0 or an errno.
int cbroker_kill(pid_t process, int signal);

/// Ends the broker, and with it every child that is left, and waits until it is gone.
void cbroker_end(void);

/// Sends bytes to the broker as they are, with descriptors: for tests of what it refuses. Returns 0 or an errno.
int cbroker_send(
    const void *_Nonnull bytes, size_t count, const int *_Nullable descriptors, size_t descriptor_count);
