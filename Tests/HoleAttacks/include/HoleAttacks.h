// What an attacker does whose code runs in a process: each attack says 0 when it worked, or the errno it met.
#pragma once
#include <stddef.h>
#include <sys/types.h>

typedef struct {
  /// A folder that the process may write, and one that it may not see; the second has a file `secret`, the first a link
  /// `way` to the second and a file `own`.
  const char *_Nonnull inside;
  const char *_Nonnull outside;
  /// A process of the same user's, and the broker.
  pid_t victim;
  pid_t broker;
} attack_surroundings;

typedef struct {
  const char *_Nonnull name;
  int (*_Nonnull run)(const attack_surroundings *_Nonnull);
} attack;

/// Looks at the calling thread as Dispatch does, by its number among all processes; 0 or an errno.
int own_thread_state(void);

/// All of them, so many.
const attack *_Nonnull attack_list(size_t *_Nonnull count);
