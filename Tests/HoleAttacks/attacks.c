#if defined(__linux__)
#define _GNU_SOURCE
#include "include/HoleAttacks.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "CConfinement.h"

extern char **environ;

#define ATTEMPT(call) \
  do { \
    if ((call) < 0) return errno; \
  } while (0)

static char place[4096];

static const char *in(const char *folder, const char *name) {
  snprintf(place, sizeof place, "%s/%s", folder, name);
  return place;
}

static int opened(const char *path, int flags) {
  int file = open(path, flags | O_CLOEXEC, 0666);
  if (file < 0) return errno;
  close(file);
  return 0;
}

static int exists(const char *path) { return access(path, F_OK) == 0 ? 0 : ENOENT; }

// MARK: Programs

static int by_system(const attack_surroundings *s) {
  char command[4200];
  snprintf(command, sizeof command, "touch %s/system", s->outside);
  errno = 0;
  int status = system(command);
  if (status == -1) return errno;
  return exists(in(s->outside, "system"));
}

static int by_execve(const attack_surroundings *s) {
  (void)s;
  char *arguments[] = {"/bin/sh", "-c", "echo BREACH", NULL};
  pid_t child = fork();
  if (child > 0) {
    int status;
    waitpid(child, &status, 0);
    return status == 0 ? 0 : ECHILD;
  }
  // Where there is no other process to do it in, this one does.
  execve(arguments[0], arguments, environ);
  int error = errno;
  if (child == 0) _exit(1);
  return error;
}

static int by_execveat(const attack_surroundings *s) {
  (void)s;
  int shell = open("/proc/self/exe", O_PATH | O_CLOEXEC);
  if (shell < 0) return errno;
  char *arguments[] = {"hole", "started", "1", NULL};
  pid_t child = fork();
  if (child > 0) {
    int status;
    waitpid(child, &status, 0);
    return status == 0 ? 0 : ECHILD;
  }
  syscall(SYS_execveat, shell, "", arguments, environ, AT_EMPTY_PATH);
  int error = errno;
  if (child == 0) _exit(1);
  return error;
}

static int by_posix_spawn(const attack_surroundings *s) {
  (void)s;
  char *arguments[] = {"/bin/true", NULL};
  pid_t child;
  int error = posix_spawn(&child, arguments[0], NULL, NULL, arguments, environ);
  if (error == 0) waitpid(child, NULL, 0);
  return error;
}

static int by_fork(const attack_surroundings *s) {
  (void)s;
  pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) _exit(0);
  waitpid(child, NULL, 0);
  return 0;
}

static int by_written_code(const attack_surroundings *s) {
  (void)s;
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return errno;
  int error = mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0 ? errno : 0;
  munmap(page, 4096);
  return error;
}

static int by_mapped_code(const attack_surroundings *s) {
  (void)s;
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return errno;
  munmap(page, 4096);
  return 0;
}

// MARK: Network

static int by_tcp(const attack_surroundings *s) {
  (void)s;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client = -1, error = 0;
  if (listener < 0) return errno;
  if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 1) < 0 ||
      getsockname(listener, (struct sockaddr *)&address, &length) < 0 ||
      (client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0 ||
      connect(client, (struct sockaddr *)&address, length) < 0)
    error = errno;
  close(listener);
  if (client >= 0) close(client);
  return error;
}

static int by_socket(int family, int type) {
  int made = socket(family, type | SOCK_CLOEXEC, 0);
  if (made < 0) return errno;
  close(made);
  return 0;
}

static int by_udp(const attack_surroundings *s) { return (void)s, by_socket(AF_INET6, SOCK_DGRAM); }
static int by_netlink(const attack_surroundings *s) { return (void)s, by_socket(AF_NETLINK, SOCK_RAW); }

static int by_unix(const attack_surroundings *s) {
  int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0) return errno;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s/s", s->outside);
  int error = bind(made, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
  close(made);
  return error;
}

// MARK: Files

static int by_reading(const attack_surroundings *s) { return opened(in(s->outside, "secret"), O_RDONLY); }
static int by_listing(const attack_surroundings *s) { return opened(s->outside, O_RDONLY | O_DIRECTORY); }
static int by_writing(const attack_surroundings *s) { return opened(in(s->outside, "secret"), O_WRONLY); }
static int by_making(const attack_surroundings *s) { return opened(in(s->outside, "new"), O_WRONLY | O_CREAT); }
static int by_the_way(const attack_surroundings *s) { return opened(in(s->inside, "way/secret"), O_RDONLY); }
static int by_dots(const attack_surroundings *s) { return opened(in(s->inside, "../outside/secret"), O_RDONLY); }
static int by_root(const attack_surroundings *s) { return (void)s, opened("/proc/self/root/etc/hostname", O_RDONLY); }
static int by_etc(const attack_surroundings *s) { return (void)s, opened("/etc/shadow", O_RDONLY); }
static int by_home(const attack_surroundings *s) { return (void)s, opened("/root", O_RDONLY | O_DIRECTORY); }

static int by_truncating(const attack_surroundings *s) {
  ATTEMPT(truncate(in(s->outside, "short"), 0));
  return 0;
}

static int by_folder(const attack_surroundings *s) {
  ATTEMPT(mkdir(in(s->outside, "folder"), 0777));
  return 0;
}

static int by_unlinking(const attack_surroundings *s) {
  ATTEMPT(unlink(in(s->outside, "unwanted")));
  return 0;
}

static int by_renaming(const attack_surroundings *s) {
  char from[4096];
  snprintf(from, sizeof from, "%s/own", s->inside);
  ATTEMPT(rename(from, in(s->outside, "moved")));
  return 0;
}

static int by_linking(const attack_surroundings *s) {
  char from[4096];
  snprintf(from, sizeof from, "%s/secret", s->outside);
  ATTEMPT(link(from, in(s->inside, "hard")));
  return 0;
}

static int by_symlink(const attack_surroundings *s) {
  ATTEMPT(symlink(s->outside, in(s->inside, "soft")));
  return 0;
}

static int by_mode(const attack_surroundings *s) {
  ATTEMPT(chmod(in(s->outside, "secret"), 0666));
  return 0;
}

static int by_time(const attack_surroundings *s) {
  ATTEMPT(utimensat(AT_FDCWD, in(s->outside, "secret"), NULL, 0));
  return 0;
}

static int by_owner(const attack_surroundings *s) {
  ATTEMPT(chown(in(s->outside, "secret"), getuid(), getgid()));
  return 0;
}

static int by_attribute(const attack_surroundings *s) {
  ATTEMPT(setxattr(in(s->outside, "secret"), "user.x", "y", 1, 0));
  return 0;
}

static int by_handle(const attack_surroundings *s) {
  struct {
    struct file_handle head;
    char bytes[128];
  } handle = {.head.handle_bytes = 128};
  int mount;
  ATTEMPT(name_to_handle_at(AT_FDCWD, s->inside, &handle.head, &mount, 0));
  return 0;
}

// MARK: Other processes

static int of_process(pid_t process, const char *name, int flags) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", process, name);
  return opened(path, flags);
}

static int by_environment(const attack_surroundings *s) { return of_process(s->victim, "environ", O_RDONLY); }
static int by_memory(const attack_surroundings *s) { return of_process(s->victim, "mem", O_RDWR); }
static int by_brokers_memory(const attack_surroundings *s) { return of_process(s->broker, "mem", O_RDWR); }
static int by_first(const attack_surroundings *s) { return (void)s, of_process(1, "environ", O_RDONLY); }
static int by_parents_memory(const attack_surroundings *s) { return (void)s, of_process(getppid(), "mem", O_RDWR); }

static int by_state(const attack_surroundings *s) { return of_process(s->victim, "stat", O_RDONLY); }

static int by_own_memory(const attack_surroundings *s) { return (void)s, opened("/proc/self/mem", O_RDWR); }

static int traced(pid_t process) {
  ATTEMPT(ptrace(PTRACE_SEIZE, process, 0, 0));
  // Let go again: one that is held does not answer.
  ATTEMPT(ptrace(PTRACE_INTERRUPT, process, 0, 0));
  waitpid(process, NULL, __WALL);
  ptrace(PTRACE_DETACH, process, 0, 0);
  return 0;
}

static int by_ptrace(const attack_surroundings *s) { return traced(s->victim); }
static int by_brokers_ptrace(const attack_surroundings *s) { return traced(s->broker); }

static int by_foreign_reading(const attack_surroundings *s) {
  char byte;
  struct iovec here = {&byte, 1}, there = {(void *)0x400000, 1};
  ATTEMPT(syscall(SYS_process_vm_readv, s->victim, &here, 1, &there, 1, 0));
  return 0;
}

static int by_kill(const attack_surroundings *s) {
  ATTEMPT(kill(s->victim, SIGCONT));
  return 0;
}

static int by_group(const attack_surroundings *s) {
  (void)s;
  ATTEMPT(kill(0, SIGCONT));
  return 0;
}

static int by_brokers_kill(const attack_surroundings *s) {
  ATTEMPT(kill(s->broker, SIGCONT));
  return 0;
}

static int by_tgkill(const attack_surroundings *s) {
  ATTEMPT(syscall(SYS_tgkill, s->victim, s->victim, SIGCONT));
  return 0;
}

static int by_queue(const attack_surroundings *s) {
  union sigval value = {.sival_int = 0};
  ATTEMPT(sigqueue(s->victim, SIGCONT, value));
  return 0;
}

static int by_pidfd(const attack_surroundings *s) {
  int process = (int)syscall(434, s->victim, 0);
  if (process < 0) return errno;
  int error = syscall(424, process, SIGCONT, NULL, 0) < 0 ? errno : 0;
  close(process);
  return error;
}

static int by_owning(const attack_surroundings *s) {
  int ends[2];
  if (pipe(ends) < 0) return errno;
  int error = fcntl(ends[0], F_SETOWN, s->victim) < 0 || fcntl(ends[0], F_SETSIG, SIGCONT) < 0 ? errno : 0;
  close(ends[0]);
  close(ends[1]);
  return error;
}

static int by_limits(const attack_surroundings *s) {
  struct rlimit limit;
  ATTEMPT(prlimit(s->victim, RLIMIT_CORE, NULL, &limit));
  return 0;
}

// MARK: The kernel

static int by_user_namespace(const attack_surroundings *s) {
  (void)s;
  // In a child, so that the one that succeeds goes on where it was.
  pid_t child = fork();
  if (child > 0) {
    int status;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  }
  int error = unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ? errno : 0;
  if (child == 0) _exit(error);
  return error;
}

static int by_mount(const attack_surroundings *s) {
  ATTEMPT(mount("none", s->inside, "tmpfs", 0, NULL));
  umount(s->inside);
  return 0;
}

static int by_number(long number, long first) {
  errno = 0;
  long result = syscall(number, first, 0, 0, 0, 0, 0);
  return result >= 0 ? 0 : errno;
}

static int by_io_uring(const attack_surroundings *s) {
  (void)s;
  char parameters[120] = {0};
  long ring = syscall(425, 1, parameters);
  if (ring < 0) return errno;
  close((int)ring);
  return 0;
}

// EINVAL, EFAULT and the like would say that the call was heard.
static int heard(int error) { return error == EPERM || error == ENOSYS ? error : 0; }

static int by_bpf(const attack_surroundings *s) { return (void)s, heard(by_number(SYS_bpf, 999)); }
static int by_perf(const attack_surroundings *s) { return (void)s, heard(by_number(SYS_perf_event_open, 0)); }
static int by_keys(const attack_surroundings *s) { return (void)s, heard(by_number(SYS_keyctl, 0)); }
static int by_faults(const attack_surroundings *s) { return (void)s, heard(by_number(SYS_userfaultfd, 0x7fff0000)); }
static int by_shared(const attack_surroundings *s) { return (void)s, heard(by_number(SYS_shmget, 0)); }
static int by_watching(const attack_surroundings *s) { return (void)s, heard(by_number(SYS_inotify_init1, 0)); }
static int by_later_calls(const attack_surroundings *s) { return (void)s, heard(by_number(470, 0)); }
static int by_user(const attack_surroundings *s) {
  (void)s;
  ATTEMPT(setuid(getuid()));
  return 0;
}

static int by_dumpable(const attack_surroundings *s) {
  (void)s;
  ATTEMPT(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
  return 0;
}

// MARK: The broker

// Bytes as the broker reads them: a head of four numbers, then texts.
static int told(uint32_t kind, int32_t first, int32_t second, uint32_t texts, const char *rest, size_t length,
                const int *descriptors, size_t count) {
  char bytes[1024];
  uint32_t head[4] = {kind, (uint32_t)first, (uint32_t)second, texts};
  memcpy(bytes, head, sizeof head);
  memcpy(bytes + sizeof head, rest, length);
  return cbroker_send(bytes, sizeof head + length, descriptors, count);
}

// What the broker says to a request to start a program, with these texts as values.
static int started(int program, uint32_t texts, const char *rest, size_t length) {
  int ends[2], nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing < 0 || pipe(ends) < 0) return errno;
  int descriptors[4] = {nothing, nothing, nothing, ends[1]};
  int error = told(4, program, 0, texts, rest, length, descriptors, 4);
  close(ends[1]);
  close(nothing);
  cbroker_news news = {0, 0};
  if (!error && read(ends[0], &news, sizeof news) != sizeof news) error = EPIPE;
  if (!error && news.kind != cbroker_started) error = news.value;
  // What was started is waited for.
  if (!error && read(ends[0], &news, sizeof news) != sizeof news) error = EPIPE;
  close(ends[0]);
  return error;
}

static int by_forged_program(const attack_surroundings *s) {
  char texts[600];
  int length = snprintf(texts, sizeof texts, "/bin/sh%c-c%ctouch %s/forged", 0, 0, s->outside) + 1;
  int error = told(1, 0, 0, 3, texts, (size_t)length, NULL, 0);
  if (error || (error = cbroker_seal())) return error;
  // Number 0 is the program that was told of before.
  if ((error = started(1, 0, "", 0))) return error;
  return exists(in(s->outside, "forged"));
}

static int by_forged_value(const attack_surroundings *s) { return (void)s, started(0, 1, "--help", 7); }
static int by_long_value(const attack_surroundings *s) { return (void)s, started(0, 1, "1234567890", 11); }
static int by_more_values(const attack_surroundings *s) { return (void)s, started(0, 2, "1\0002", 4); }
static int by_no_value(const attack_surroundings *s) { return (void)s, started(0, 0, "", 0); }
static int by_unknown_program(const attack_surroundings *s) { return (void)s, started(7, 1, "1", 2); }
static int by_negative_program(const attack_surroundings *s) { return (void)s, started(-1, 1, "1", 2); }
static int by_open_end(const attack_surroundings *s) { return (void)s, started(0, 1, "1", 1); }

static const attack attacks[] = {
    {"system", by_system}, {"execve", by_execve}, {"execveat", by_execveat}, {"posix_spawn", by_posix_spawn},
    {"fork", by_fork}, {"written code", by_written_code}, {"mapped code", by_mapped_code},
    {"tcp", by_tcp}, {"udp", by_udp}, {"netlink", by_netlink}, {"unix", by_unix},
    {"reading", by_reading}, {"listing", by_listing}, {"writing", by_writing}, {"making", by_making},
    {"a link's way", by_the_way}, {"dots", by_dots}, {"/proc/self/root", by_root}, {"/etc/shadow", by_etc},
    {"/root", by_home}, {"truncating", by_truncating}, {"folder", by_folder}, {"unlinking", by_unlinking},
    {"linking", by_linking}, {"symlink", by_symlink}, {"mode", by_mode}, {"time", by_time}, {"owner", by_owner},
    {"attribute", by_attribute}, {"handle", by_handle}, {"renaming", by_renaming},
    {"environment", by_environment}, {"memory", by_memory}, {"broker's memory", by_brokers_memory},
    {"/proc/1/environ", by_first}, {"parent's memory", by_parents_memory}, {"own memory", by_own_memory},
    {"state", by_state},
    {"ptrace", by_ptrace}, {"broker's ptrace", by_brokers_ptrace}, {"foreign reading", by_foreign_reading},
    {"kill", by_kill}, {"group", by_group}, {"broker's kill", by_brokers_kill}, {"tgkill", by_tgkill},
    {"queue", by_queue}, {"pidfd", by_pidfd}, {"owning", by_owning}, {"limits", by_limits},
    {"user namespace", by_user_namespace}, {"mount", by_mount}, {"io_uring", by_io_uring}, {"bpf", by_bpf},
    {"perf", by_perf}, {"keys", by_keys}, {"faults", by_faults}, {"shared memory", by_shared},
    {"watching", by_watching}, {"later calls", by_later_calls}, {"user", by_user}, {"dumpable", by_dumpable},
    {"forged program", by_forged_program}, {"forged value", by_forged_value}, {"long value", by_long_value},
    {"more values", by_more_values}, {"no value", by_no_value}, {"unknown program", by_unknown_program},
    {"negative program", by_negative_program}, {"open end", by_open_end},
};

int own_thread_state(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)syscall(SYS_gettid));
  return opened(path, O_RDONLY);
}

const attack *attack_list(size_t *count) {
  *count = sizeof attacks / sizeof *attacks;
  return attacks;
}
#endif
