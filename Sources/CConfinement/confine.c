// All walls in their order: privileges, limits, files, and last the system calls that the others need.
#define _GNU_SOURCE
#include "include/CConfinement.h"
#include <errno.h>

#if defined(__linux__)
#include "walls.h"
#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_SHADOW_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SHADOW_MEMORY 1
#endif
#endif
#ifndef HAS_SHADOW_MEMORY
#define HAS_SHADOW_MEMORY 0
#endif

int cconfine_threads(void) {
  DIR *tasks = opendir("/proc/self/task");
  if (!tasks) return 0;
  int count = 0;
  for (struct dirent *entry; (entry = readdir(tasks));) count += entry->d_name[0] != '.';
  closedir(tasks);
  return count;
}

cconfine_walls cconfine_available(void) {
  return (cconfine_walls){
      .no_new_privileges = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) >= 0,
      .landlock = landlock_version(),
      .seccomp = seccomp_is_available(),
      .memory_limit = !HAS_SHADOW_MEMORY,
      .file_limit = true,
  };
}

// Lowers a limit; one that is lower already stays. 0 or an errno.
static int lower(int which, uint64_t bytes) {
  struct rlimit limit;
  if (getrlimit(which, &limit) < 0) return errno;
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < bytes) bytes = limit.rlim_max;
  if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < bytes) bytes = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max = bytes;
  return setrlimit(which, &limit) < 0 ? errno : 0;
}

int cconfine(const cconfine_rights *rights, cconfine_walls *walls) {
  *walls = (cconfine_walls){.no_new_privileges = false};
  if (cconfine_threads() > 1) return EBUSY;
  cconfine_walls there = cconfine_available();
  int error = lower(RLIMIT_CORE, 0);
  if (error) return error;
  if (there.memory_limit && rights->data_bytes) {
    if ((error = lower(RLIMIT_DATA, rights->data_bytes))) return error;
    walls->memory_limit = true;
  }
  if (rights->file_bytes) {
    // Beyond it a write fails; the process need not die of it.
    signal(SIGXFSZ, SIG_IGN);
    if ((error = lower(RLIMIT_FSIZE, rights->file_bytes))) return error;
    walls->file_limit = true;
  }
  if (!there.no_new_privileges) return 0;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return errno;
  walls->no_new_privileges = true;
  if (there.landlock) {
    if ((error = landlock_confine(rights))) return error;
    walls->landlock = there.landlock;
  }
  if (there.seccomp) {
    if ((error = seccomp_confine(rights))) return error;
    walls->seccomp = true;
  }
  return 0;
}

#else

int cconfine_threads(void) { return 0; }
cconfine_walls cconfine_available(void) { return (cconfine_walls){.landlock = 0}; }
int cconfine(const cconfine_rights *rights, cconfine_walls *walls) {
  (void)rights;
  *walls = (cconfine_walls){.landlock = 0};
  return ENOSYS;
}

#endif
