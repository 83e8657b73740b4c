// What the confined process says to the broker.
#define _GNU_SOURCE
#include "include/CConfinement.h"
#include "messages.h"
#include <errno.h>
#include <string.h>

#if defined(__linux__)
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int broker_socket = -1;
static pid_t broker_process;
static int program_count;

int cbroker_begin(void) {
  if (broker_socket >= 0) return EBUSY;
  int program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (program < 0) return errno;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
    close(program);
    return errno;
  }
  int room = 4 * MESSAGE_BYTES;
  setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  pid_t process = fork();
  if (process == 0) {
    close(ends[0]);
    broker_run(ends[1], program);
  }
  int error = process < 0 ? errno : 0;
  close(ends[1]);
  close(program);
  if (error) {
    close(ends[0]);
    return error;
  }
  broker_socket = ends[0];
  broker_process = process;
  return 0;
}

pid_t cbroker_process(void) { return broker_process; }

int cbroker_send(const void *bytes, size_t count, const int *descriptors, size_t descriptor_count) {
  if (broker_socket < 0) return ENOTCONN;
  if (descriptor_count > 4) return EINVAL;
  union {
    char bytes[CMSG_SPACE(sizeof(int) * 4)];
    struct cmsghdr align;
  } control;
  memset(&control, 0, sizeof control);
  struct iovec part = {(void *)bytes, count};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (descriptor_count > 0) {
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptor_count);
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int) * descriptor_count);
    memcpy(CMSG_DATA(c), descriptors, sizeof(int) * descriptor_count);
  }
  while (sendmsg(broker_socket, &message, MSG_NOSIGNAL) < 0)
    if (errno != EINTR) return errno;
  return 0;
}

static int send_texts(struct message_head head, const char *const *texts, size_t count, const int *descriptors,
                      size_t descriptor_count) {
  char bytes[sizeof head + MESSAGE_BYTES];
  size_t at = sizeof head;
  for (size_t i = 0; i < count; i++) {
    size_t length = strlen(texts[i]) + 1;
    if (length > sizeof bytes - at) return E2BIG;
    memcpy(bytes + at, texts[i], length);
    at += length;
  }
  head.texts = (uint32_t)count;
  memcpy(bytes, &head, sizeof head);
  return cbroker_send(bytes, at, descriptors, descriptor_count);
}

int cbroker_add(const char *const *arguments, size_t count, bool is_own) {
  if (count == 0 || count > 512 || program_count == 8) return -E2BIG;
  int error = send_texts((struct message_head){.kind = message_add, .first = is_own}, arguments, count, NULL, 0);
  return error ? -error : program_count++;
}

int cbroker_scratch(const char *path) {
  return send_texts((struct message_head){.kind = message_scratch}, &path, 1, NULL, 0);
}

int cbroker_seal(void) { return send_texts((struct message_head){.kind = message_seal}, NULL, 0, NULL, 0); }

int cbroker_start(int program, const char *const *values, size_t count, const int descriptors[3], int *news) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return errno;
  // The broker must never wait for who listens.
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  int all[4] = {descriptors[0], descriptors[1], descriptors[2], ends[1]};
  int error = send_texts((struct message_head){.kind = message_start, .first = program}, values, count, all, 4);
  close(ends[1]);
  if (error) {
    close(ends[0]);
    return error;
  }
  *news = ends[0];
  return 0;
}

int cbroker_kill(pid_t process, int signal) {
  struct message_head head = {.kind = message_kill, .first = process, .second = signal};
  return send_texts(head, NULL, 0, NULL, 0);
}

void cbroker_end(void) {
  if (broker_socket < 0) return;
  shutdown(broker_socket, SHUT_WR);
  while (waitpid(broker_process, NULL, 0) < 0 && errno == EINTR) {}
  close(broker_socket);
  broker_socket = -1;
}

#else

int cbroker_begin(void) { return ENOSYS; }
pid_t cbroker_process(void) { return 0; }
int cbroker_add(const char *const *arguments, size_t count, bool is_own) {
  (void)arguments, (void)count, (void)is_own;
  return -ENOSYS;
}
int cbroker_scratch(const char *path) { return (void)path, ENOSYS; }
int cbroker_seal(void) { return ENOSYS; }
int cbroker_start(int program, const char *const *values, size_t count, const int descriptors[3], int *news) {
  (void)program, (void)values, (void)count, (void)descriptors, (void)news;
  return ENOSYS;
}
int cbroker_kill(pid_t process, int signal) { return (void)process, (void)signal, ENOSYS; }
void cbroker_end(void) {}
int cbroker_send(const void *bytes, size_t count, const int *descriptors, size_t descriptor_count) {
  (void)bytes, (void)count, (void)descriptors, (void)descriptor_count;
  return ENOSYS;
}

#endif
