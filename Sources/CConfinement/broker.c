// The broker: a process that stays outside of the wall and runs the programs it was told of before it was sealed.
//
// It is forked before anything else happens and trusts nothing that arrives once it is sealed. It allocates nothing:
// what a message, a program and a child need has its place from the beginning.
#if defined(__linux__)
#define _GNU_SOURCE  // execveat, pipe2, close_range, prctl
#include "messages.h"
#include "include/CConfinement.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOSE_ON_EXEC 4u  // CLOSE_RANGE_CLOEXEC

extern char **environ;

enum { most_programs = 8, most_arguments = 512, most_children = 4096, deepest_scratch = 16, longest_path = 4096 };

struct program {
  int is_own;
  uint32_t arguments;
  uint32_t bytes;
  char text[MESSAGE_BYTES];
};

struct child {
  pid_t process;
  int news;
};

static struct program programs[most_programs];
static int program_count;
static int is_sealed;
static struct child children[most_children];
static int child_count;
static char scratch[longest_path];
static int own_program = -1;
static pid_t own_process;

static sigset_t outer_mask;
// What this process takes note of differently from its children.
static const int quiet[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
enum { quiet_count = sizeof quiet / sizeof *quiet };
static struct sigaction outer_actions[quiet_count];

static void tell(int descriptor, int32_t kind, int32_t value) {
  cbroker_news news = {kind, value};
  // Who no longer listens has lost interest.
  while (write(descriptor, &news, sizeof news) < 0 && errno == EINTR) {}
}

// MARK: Values

static int is_digit(char c) { return c >= '0' && c <= '9'; }

static int is_admissible(char form, const char *value) {
  size_t length = strlen(value);
  switch (form) {
    case cbroker_digits:
      for (const char *c = value; *c; c++)
        if (!is_digit(*c)) return 0;
      return length >= 1 && length <= 9;
    case cbroker_list:
      for (const char *c = value; *c; c++)
        if (!is_digit(*c) && *c != ',') return 0;
      return length >= 1 && is_digit(value[0]);
    case cbroker_path:
      if (value[0] != '/' || length >= longest_path) return 0;
      for (const char *c = value; (c = strstr(c, "/..")); c += 3)
        if (c[3] == '/' || c[3] == 0) return 0;
      return 1;
    default: return 0;
  }
}

// The arguments of a program with the values in their places, one after the other in `text`; 0 unless they fit.
static int fill_in(const struct program *p, const char *values, uint32_t count, char **arguments, char *text,
                   size_t size) {
  uint32_t used = 0, n = 0;
  size_t at = 0;
  for (const char *c = p->text; c < p->text + p->bytes; c++) {
    if (at + 1 >= size) return 0;
    if (c == p->text || c[-1] == 0) arguments[n++] = text + at;
    if (*c != cbroker_value) {
      text[at++] = *c;
      continue;
    }
    if (used == count || !is_admissible(*++c, values)) return 0;
    size_t length = strlen(values);
    if (at + length + 1 >= size) return 0;
    memcpy(text + at, values, length);
    at += length;
    values += length + 1;
    used++;
  }
  arguments[n] = NULL;
  return used == count;
}

// MARK: Children

static _Noreturn void become(const struct program *p, char **arguments, const int descriptors[3], int report) {
  // Nobody would read what it finds out; the second question is for a broker that ended before the first.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != own_process) _exit(127);
  for (int i = 0; i < quiet_count; i++) sigaction(quiet[i], &outer_actions[i], NULL);
  sigprocmask(SIG_SETMASK, &outer_mask, NULL);
  // The broker's own are at 0 to 2, so that none of these is among them.
  for (int i = 0; i < 3; i++)
    if (dup2(descriptors[i], i) < 0) goto failed;
  syscall(SYS_close_range, 3u, ~0u, CLOSE_ON_EXEC);
  if (p->is_own)
    syscall(SYS_execveat, own_program, "", arguments, environ, AT_EMPTY_PATH);
  else
    execve(arguments[0], arguments, environ);
failed:;
  int error = errno;
  if (write(report, &error, sizeof error) < 0) _exit(126);
  _exit(127);
}

// Returns 0 once the program runs, or an errno.
static int start(const struct program *p, const char *values, uint32_t count, const int descriptors[4]) {
  static char text[MESSAGE_BYTES];
  static char *arguments[most_arguments + 1];
  if (!fill_in(p, values, count, arguments, text, sizeof text)) return EPERM;
  if (child_count == most_children) return EAGAIN;
  int report[2];
  if (pipe2(report, O_CLOEXEC) < 0) return errno;
  pid_t process = fork();
  if (process == 0) become(p, arguments, descriptors, report[1]);
  int error = process < 0 ? errno : 0, count_read = 0;
  close(report[1]);
  if (process > 0) {
    while ((count_read = (int)read(report[0], &error, sizeof error)) < 0 && errno == EINTR) {}
    if (count_read == sizeof error)
      waitpid(process, NULL, 0);
    else
      error = 0;
  }
  close(report[0]);
  if (error) return error;
  children[child_count++] = (struct child){process, descriptors[3]};
  tell(descriptors[3], cbroker_started, process);
  return 0;
}

static void reap(void) {
  int status;
  pid_t process;
  while ((process = waitpid(-1, &status, WNOHANG)) > 0) {
    for (int i = 0; i < child_count; i++) {
      if (children[i].process != process) continue;
      tell(children[i].news, cbroker_ended, status);
      close(children[i].news);
      children[i] = children[--child_count];
      break;
    }
  }
}

static void signal_child(pid_t process, int number) {
  if (number != SIGTERM && number != SIGKILL) return;
  // A child is not reaped in between: its number is still its own.
  for (int i = 0; i < child_count; i++)
    if (children[i].process == process) kill(process, number);
}

// MARK: The end

// Removes what lies in a folder, without ever following a link.
static void empty(int folder, int depth) {
  DIR *entries = fdopendir(folder);
  if (!entries) {
    close(folder);
    return;
  }
  for (struct dirent *entry; (entry = readdir(entries));) {
    const char *name = entry->d_name;
    if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
    if (unlinkat(dirfd(entries), name, 0) == 0 || depth == 0) continue;
    int below = openat(dirfd(entries), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below < 0) continue;
    empty(below, depth - 1);
    unlinkat(dirfd(entries), name, AT_REMOVEDIR);
  }
  closedir(entries);
}

static _Noreturn void end(void) {
  for (int i = 0; i < child_count; i++) kill(children[i].process, SIGKILL);
  while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {}
  int folder = scratch[0] ? open(scratch, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
  if (folder >= 0) {
    empty(folder, deepest_scratch);
    rmdir(scratch);
  }
  _exit(0);
}

// MARK: Messages

// Whether the rest of the message is so many texts and nothing else.
static int holds_texts(const char *texts, size_t bytes, uint32_t count) {
  if (count == 0) return bytes == 0;
  if (bytes == 0 || texts[bytes - 1] != 0) return 0;
  uint32_t found = 0;
  for (size_t i = 0; i < bytes; i++) found += texts[i] == 0;
  return found == count;
}

static void handle(const struct message_head *head, const char *texts, size_t bytes, const int *descriptors,
                   int descriptor_count) {
  if (!holds_texts(texts, bytes, head->texts)) head = &(struct message_head){0, 0, 0, 0};
  int keeps_news = 0;
  if (head->kind == message_start) {
    if (descriptor_count == 4) {
      int known = is_sealed && head->first >= 0 && head->first < program_count;
      int error = known ? start(&programs[head->first], texts, head->texts, descriptors) : EPERM;
      if (error) tell(descriptors[3], cbroker_refused, error);
      keeps_news = error == 0;
    }
  } else if (head->kind == message_kill) {
    signal_child(head->first, head->second);
  } else if (!is_sealed) {
    if (head->kind == message_seal) is_sealed = 1;
    if (head->kind == message_scratch && head->texts == 1 && bytes <= sizeof scratch) memcpy(scratch, texts, bytes);
    if (head->kind == message_add && program_count < most_programs && head->texts > 0 &&
        head->texts <= most_arguments) {
      struct program *p = &programs[program_count++];
      p->is_own = head->first;
      p->arguments = head->texts;
      p->bytes = (uint32_t)bytes;
      memcpy(p->text, texts, bytes);
    }
  }
  for (int i = 0; i < descriptor_count; i++)
    if (!(keeps_news && i == 3)) close(descriptors[i]);
}

// Returns 0 when the other end is closed.
static int receive(int socket) {
  static _Alignas(struct message_head) char bytes[sizeof(struct message_head) + MESSAGE_BYTES];
  enum { most_descriptors = 8 };
  union {
    char bytes[CMSG_SPACE(sizeof(int) * most_descriptors)];
    struct cmsghdr align;
  } control;
  struct iovec part = {bytes, sizeof bytes};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                           .msg_controllen = sizeof control};
  ssize_t count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  int descriptors[most_descriptors], descriptor_count = 0;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    int more = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    for (int i = 0; i < more && descriptor_count < most_descriptors; i++)
      memcpy(&descriptors[descriptor_count++], CMSG_DATA(c) + (size_t)i * sizeof(int), sizeof(int));
  }
  if (count == 0 && descriptor_count == 0) return 0;
  struct message_head head = {0, 0, 0, 0};
  size_t rest = 0;
  if ((size_t)count >= sizeof head && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
    memcpy(&head, bytes, sizeof head);
    rest = (size_t)count - sizeof head;
  }
  handle(&head, bytes + sizeof head, rest, descriptors, descriptor_count);
  return 1;
}

_Noreturn void broker_run(int socket, int program) {
  own_program = program;
  own_process = getpid();
  prctl(PR_SET_NAME, "compress-broker");
  // Others of this user cannot look into it either.
  prctl(PR_SET_DUMPABLE, 0);
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int i = 0; i < 3; i++) dup2(nothing, i);
  // Ctrl-C reaches the whole group, and it is for the other process to say what it means.
  struct sigaction ignore = {.sa_handler = SIG_IGN};
  for (int i = 0; i < quiet_count; i++) sigaction(quiet[i], &ignore, &outer_actions[i]);
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGCHLD);
  sigprocmask(SIG_BLOCK, &ends, &outer_mask);
  int ended = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
  struct pollfd events[2] = {{.fd = socket, .events = POLLIN}, {.fd = ended, .events = POLLIN}};
  while (1) {
    if (poll(events, 2, -1) < 0) {
      if (errno == EINTR) continue;
      end();
    }
    if (events[1].revents) {
      struct signalfd_siginfo info;
      while (read(ended, &info, sizeof info) > 0) {}
      reap();
    }
    if (events[0].revents && !receive(socket)) end();
  }
}
#endif
