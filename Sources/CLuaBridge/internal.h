// What the files of the bridge share.
#pragma once
#include "bridge.h"
#include <pthread.h>
#include <stdatomic.h>

/// Instructions between two looks at the budget: its granularity.
enum { CLUA_PERIOD = 1000 };
/// Seconds from one look to the next that are too many; instructions such as joining long strings may be slow.
#define CLUA_SLOW_PERIOD 0.02

typedef struct clua_meter {
  int64_t limit, used;
  clua_stop stop;
} clua_meter;

/// How many instructions pass between two runs of the count hook, and when it last ran.
typedef struct clua_pace {
  int period;
  double last;
} clua_pace;

typedef struct clua_watchdog {
  bool started, armed, waiting, quit;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  clua_watch watch;
  char what[600];               ///< what is running, for the message
  double spent;                 ///< seconds of the script's own in this call
  double told;                  ///< of these, when its lasting was to be told last
  _Atomic int lasting;          ///< milliseconds that are to be told; 0: nothing is
  int statistics;               ///< /proc/self/statm, or -1
  size_t page;                  ///< bytes of a page of memory
  int64_t grown;                ///< bytes by which the process grew in the script's own time of this call
  int64_t resident;             ///< what it held at the last look, or -1
  bool fired;
  _Atomic bool running;         ///< the script's own time passes: cleared while the engine works for it
  _Atomic int verdict;          ///< a clua_stop: why this call must end
} clua_watchdog;

typedef struct clua_state {
  clua_callbacks callbacks;
  size_t memory_limit, memory_used;
  bool in_host;                 ///< a Swift frame is on top: allocation may not fail
  size_t owed;                  ///< units a host function asked for, charged when it has returned
  bool over_memory;             ///< the limit is passed: what comes next collects, and raises if need be
  size_t stack_bytes;           ///< of the stack, which is made at its full size: neither used nor limited
  bool overflowed;              ///< the stack was to grow beyond that
  bool denied;                  ///< an allocation was refused, at:
  int denied_line;
  char denied_source[512];
  lua_State *L;
  int depth;                    ///< protected calls under way
  uint64_t objects;             ///< userdata made so far: their serial numbers
  clua_meter meter;
  clua_pace pace;
  uint8_t character_classes[26][32];  ///< of patterns: the bytes in %a, at 'a' - 'a', and so on
  int error_line;               ///< where the last error was raised
  char error_source[512];
  _Atomic bool cancelled;
  clua_watchdog watchdog;
} clua_state;

static inline clua_state *clua_state_of(lua_State *L) { return *(clua_state **)lua_getextraspace(L); }

// Who is on top: returns what was before, to be given back.
static inline bool clua_enter(clua_state *s, bool host) {
  bool was = s->in_host;
  s->in_host = host;
  return was;
}

/// Raises an error that no pcall of a script can keep.
int clua_raise_stop(lua_State *L, clua_stop stop);
/// Raises once more if the failed call has been stopped; to follow every protected call made for a script.
void clua_pass_stop(lua_State *L, int status);
/// Raises when the call was cancelled or has passed a limit that the watchdog sees.
void clua_hear_stop(lua_State *L);
/// Accounts for `units` of work done in C, each about as long as one instruction; raises when over budget.
void clua_charge(lua_State *L, size_t units);
/// Raises when `bytes` more cannot be had even after a collection.
void clua_check_room(lua_State *L, size_t bytes);

/// Like luaL_tolstring, free of addresses.
const char *clua_tolstring(lua_State *L, int index, size_t *length);
/// Type name of a value, or the name its class gives it.
void clua_push_typename(lua_State *L, int index);

/// 0 unless the value at `index` is one of our userdata.
uint64_t clua_object_serial(lua_State *L, int index);

void clua_open_sandbox(lua_State *L);
void clua_open_objects(lua_State *L);
void clua_set_string_functions(lua_State *L);   // into the library table on top
void clua_set_utf8_functions(lua_State *L);
void clua_set_pattern_functions(lua_State *L);
void clua_set_character_classes(clua_state *s);
void clua_set_table_functions(lua_State *L);
void clua_set_base_functions(lua_State *L);
int clua_pairs(lua_State *L);

double clua_now(void);

void clua_watchdog_begin(clua_state *s, const char *what);
void clua_watchdog_end(clua_state *s);
void clua_watchdog_close(clua_state *s);
