// What the broker is told: a head, then so many texts, each with its NUL.
#pragma once
#include <stdint.h>

enum message_kind {
  message_add = 1,   // first: whether it is the broker's own program; texts: its arguments
  message_scratch,   // a text: the folder
  message_seal,
  message_start,     // first: the program; texts: the values; with four descriptors
  message_kill,      // first: the process; second: the signal
};

struct message_head {
  uint32_t kind;
  int32_t first;
  int32_t second;
  uint32_t texts;
};

// A message is one datagram.
#define MESSAGE_BYTES (64 * 1024)

// Runs until the other end of the socket closes.
_Noreturn void broker_run(int socket, int program);
