#pragma once
#include <stdio.h>
#include <editline/readline.h>

// The library's hooks are global variables, which Swift does not take for safe.
static inline void cedit_set_completion(char **(*complete)(const char *, int, int)) {
  rl_attempted_completion_function = complete;
  rl_completion_append_character = '\0';
}
static inline void cedit_end_completion(void) { rl_attempted_completion_over = 1; }
