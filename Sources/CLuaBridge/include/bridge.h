// The only door between Swift and Lua.
//
// lua_error is a longjmp and may never cross a Swift frame. Therefore:
//   - Swift calls only what is declared here and the raw part of the Lua API (push, raw get and set, type, to),
//     which can raise nothing but a memory error, and no memory error is raised while Swift is on top: the
//     allocator lets the allocation through and the trampoline raises once the Swift frame is gone.
//   - A Swift function called from Lua returns CLUA_ERROR or CLUA_FATAL with the message on top of the stack;
//     the C trampoline raises it.
//   - Lua code runs only under clua_call.
#pragma once
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A host function failed; the message is on top of the stack. A script's pcall may catch it.
#define CLUA_ERROR (-1)
/// A host function failed for good (a limit, cancelled): no pcall of a script catches it.
#define CLUA_FATAL (-2)

/// Why a call was stopped for good.
typedef enum clua_stop {
  CLUA_STOP_NONE = 0,
  CLUA_STOP_INSTRUCTIONS,
  CLUA_STOP_MEMORY,
  CLUA_STOP_TIME,
  CLUA_STOP_GROWTH,
  CLUA_STOP_STACK,
  CLUA_STOP_CANCELLED,
  CLUA_STOP_HOST,
} clua_stop;

/// What Swift supplies. `box` is a retained Swift object handed to clua_push_function or clua_push_object.
typedef struct clua_callbacks {
  void *context;
  /// Runs a host function on the arguments on the stack; returns the number of results, or CLUA_ERROR, CLUA_FATAL.
  int (*call)(void *context, lua_State *L, void *box);
  /// Releases a box; runs exactly once for each.
  void (*release)(void *box);
  /// Told now and then, on the thread that runs the script, while a call lasts: where it is, and for how many seconds of
  /// its own. The state may not be used meanwhile.
  void (*lasts)(void *context, const char *source, int line, double seconds);
} clua_callbacks;

/// How a protected call went. `source` and `line` tell where it failed, if known.
typedef struct clua_outcome {
  int status;
  clua_stop stop;
  int line;
  char source[512];
} clua_outcome;

// Life of a state.

/// A sandboxed state, or NULL without memory. The sandbox is described in sandbox.c.
lua_State *clua_open(clua_callbacks callbacks, size_t memory_limit);
/// What host functions are called with.
void clua_set_context(lua_State *L, void *context);
void clua_close(lua_State *L);
size_t clua_memory_used(lua_State *L);
void clua_collect(lua_State *L);

// Running.

/// Compiles text (never bytecode); pushes the function, or the message when the result is not LUA_OK.
int clua_load(lua_State *L, const char *text, size_t length, const char *name);
/// Calls the function below `arguments` values; pushes all results, or one message.
///
/// With `instructions` > 0 the call has a budget of its own, else it shares that of the call it is nested in.
void clua_call(lua_State *L, int arguments, int64_t instructions, clua_outcome *outcome);
/// Asks the running call to stop, from any thread; stays set until cleared.
void clua_set_cancelled(lua_State *L, bool cancelled);

/// What the watchdog thread keeps a call within. Its time and memory are the script's own: what passes inside Lua and
/// inside host functions, except while `clua_set_engine_works`.
typedef struct clua_watch {
  double seconds;               ///< of one outermost call; 0: not watched
  size_t growth;                ///< bytes the process may grow by meanwhile; 0: not watched
  double patience;              ///< seconds of its own after which, and between which, a call's lasting is told
  void *context;
  /// Called on the watchdog's thread when a limit was passed: long host functions are to return early. Lua itself is
  /// stopped through its hook.
  void (*overdue)(void *context);
  /// Called on the watchdog's thread when that has not helped within a quarter of `seconds`, at least one second;
  /// NULL: a line to standard error, and the end of the process with status 4.
  void (*stuck)(void *context, const char *what);
} clua_watch;
/// Starts the watchdog; once in a state's life.
void clua_start_watchdog(lua_State *L, clua_watch watch);
/// The engine begins, or has ended, work that the script asked for: its time and memory are not the script's. Returns
/// what was before, to be given back.
bool clua_set_engine_works(lua_State *L, bool works);
/// Makes the running host function count for so many instructions more.
void clua_owe(lua_State *L, size_t units);

// Host functions and objects.

void clua_push_function(lua_State *L, void *box);
/// Pops the tables of methods and of getters and a function called for what neither has; pushes a metatable.
void clua_push_class(lua_State *L, const char *name);
/// Pushes the userdata already made for `identity`, if it is alive.
bool clua_push_known_object(lua_State *L, const void *identity);
/// Pushes a userdata that owns `box`, of the class whose metatable is on top of the stack (and is popped).
void clua_push_object(lua_State *L, void *box, const void *identity);
/// The box of a userdata made by clua_push_object, else NULL.
void *clua_to_object(lua_State *L, int index);
void clua_forget_object(lua_State *L, const void *identity);

// Environments and read-only tables.

/// Pushes the table of globals that every environment falls back to.
void clua_push_globals(lua_State *L);
/// Pops a function: called as f(globals, name) when a script reads an undefined global.
void clua_set_undefined(lua_State *L);
/// Pops a function: called as f(text) by print.
void clua_set_print(lua_State *L);
/// Pushes an empty environment for one chunk.
void clua_push_environment(lua_State *L);
/// Makes the table at `index` read-only, in place; assigning is an error that gives the reason.
void clua_freeze(lua_State *L, int index, const char *reason);
/// Whether clua_freeze has been there.
bool clua_is_frozen(lua_State *L, int index);
/// Pushes the table that holds the content of the table at `index`: itself, or what is behind a frozen one.
void clua_push_content(lua_State *L, int index);
/// Pushes the environment of the Lua function that called the running host function, or nil.
void clua_push_caller_environment(lua_State *L);

// Looking at functions.

/// The innermost Lua function that is running and its line; false when there is none.
bool clua_where(lua_State *L, char *source, size_t size, int *line);
typedef struct clua_function_info {
  bool is_lua;
  int first_line, last_line, upvalues;
  const char *source;
} clua_function_info;
clua_function_info clua_inspect(lua_State *L, int index);
/// The function's stripped bytecode, to be freed by the caller; NULL for host functions.
uint8_t *clua_dump(lua_State *L, int index, size_t *length);
void clua_free(uint8_t *bytes);

// Macros that Swift does not import.
static inline void clua_pop(lua_State *L, int n) { lua_settop(L, -n - 1); }
/// References into the registry, as luaL_ref makes them.
static inline int clua_ref(lua_State *L) { return luaL_ref(L, LUA_REGISTRYINDEX); }
static inline void clua_unref(lua_State *L, int reference) { luaL_unref(L, LUA_REGISTRYINDEX, reference); }
static inline void clua_push_ref(lua_State *L, int reference) { lua_rawgeti(L, LUA_REGISTRYINDEX, reference); }
static inline bool clua_is_integer(lua_State *L, int i) { return lua_isinteger(L, i) != 0; }
static inline lua_Integer clua_to_integer(lua_State *L, int i) { return lua_tointegerx(L, i, NULL); }
static inline double clua_to_number(lua_State *L, int i) { return lua_tonumberx(L, i, NULL); }
/// Only for values that are strings already.
static inline const char *clua_to_bytes(lua_State *L, int i, size_t *length) {
  return lua_type(L, i) == LUA_TSTRING ? lua_tolstring(L, i, length) : NULL;
}
/// Pops a value into `table[name]`, without metamethods.
static inline void clua_raw_set_field(lua_State *L, int table, const char *name) {
  table = lua_absindex(L, table);
  lua_pushstring(L, name);
  lua_rotate(L, -2, 1);
  lua_rawset(L, table);
}
