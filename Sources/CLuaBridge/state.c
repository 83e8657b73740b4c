// A state's life, its memory, and the budget of instructions.
#include "internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Lua 5.4.4 and before keep a pointer into the stack while a __concat metamethod runs; a stack that has moved meanwhile,
// grown or shrunk, is then read and written where it was (mended in 5.4.5). So it is made at its full size before there is
// a script and stays where it is: the frame at its bottom claims most of it, so that the collector does not shrink it, and
// the allocator refuses the room for errors that Lua adds to a full stack. That overflow cannot be caught by a script.
enum {
  STACK_SLOTS = LUAI_MAXSTACK,
  SLOT_BYTES = 16,              // sizeof(StackValue)
  EXTRA_SLOTS = 5,              // EXTRA_STACK of lstate.h
  ERROR_SLOTS = 200,            // what ERRORSTACKSIZE of ldo.c is beyond LUAI_MAXSTACK
};

static bool is_overflow(size_t size) {
  return size == (size_t)(STACK_SLOTS + ERROR_SLOTS + EXTRA_SLOTS) * SLOT_BYTES;
}

/// Doubles the stack to its greatest size; false without memory.
static bool fix_stack(lua_State *L) {
  clua_state *s = clua_state_of(L);
  size_t before = s->memory_used;
  bool fits = lua_checkstack(L, STACK_SLOTS * 6 / 10) && lua_checkstack(L, STACK_SLOTS * 7 / 10);
  s->stack_bytes = s->memory_used - before;
  s->memory_limit += s->stack_bytes;
  return fits;
}

static void count_hook(lua_State *L, lua_Debug *activation);

static void set_period(lua_State *L, int period) {
  clua_state_of(L)->pace = (clua_pace){period, clua_now()};
  lua_sethook(L, count_hook, LUA_MASKCOUNT, period);
}

/// How many times the limit everything together may be until the instruction under way has ended: a table that grows
/// holds its old half meanwhile, and a buffer its old bytes.
enum { OVERDRAFT = 6 };

/// Notes that the limit is passed. The script's next instruction collects, and ends the call if that did not help.
static void overdraw(clua_state *s) {
  if (s->over_memory) return;
  s->over_memory = true;
  if (s->in_host) return;  // the trampoline looks before anything of the script runs
  s->meter.used += s->pace.period;  // setting the hook forgets the instructions since its last run
  set_period(s->L, 1);
}

// Nothing is refused over the limit that Lua allocates in the middle of something: a refusal makes it collect at once, in
// places where Lua 5.4.4 and before do not expect that (a table that only a weak metatable's __newindex refers to is freed
// while it grows; mended in 5.4.5). Only new strings and userdata are, which may be of any size, and Lua is ready for it.
// While Swift is on top nothing may be raised at all.
static void *allocate(void *context, void *old, size_t old_size, size_t size) {
  clua_state *s = context;
  bool unlimited = !old && (old_size == LUA_TSTRING || old_size == LUA_TUSERDATA);  // of what is new, the type is given
  if (!old) old_size = 0;
  if (size == 0) {
    free(old);
    s->memory_used -= old_size;
    return NULL;
  }
  if (size > old_size && s->stack_bytes && is_overflow(size)) {
    if (!s->denied && !old) clua_where(s->L, s->denied_source, sizeof s->denied_source, &s->denied_line);
    s->denied = s->overflowed = true;
    return NULL;
  }
  size_t used = s->memory_used - old_size + size;
  if (size > old_size && used > s->memory_limit) {
    if (!s->in_host && (unlimited || used / OVERDRAFT > s->memory_limit)) {
      // Looking at the call stack allocates nothing, and what raises later no longer knows where this was.
      if (!s->denied && !old) clua_where(s->L, s->denied_source, sizeof s->denied_source, &s->denied_line);
      s->denied = true;
      return NULL;
    }
    overdraw(s);
  }
  void *new = realloc(old, size);
  if (new) {
    s->memory_used = used;
  } else if (s->in_host || !unlimited) {
    fputs("compress: out of memory\n", stderr);
    _Exit(3);
  }
  return new;
}

static int panic(lua_State *L) {
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, NULL) : "?";
  fprintf(stderr, "compress: Lua error outside a protected call: %s\n", text);
  abort();
}

/// The collector waits until memory has doubled. Since the stack, which is no garbage, would count, it is told to wait for a
/// part of that: until what a script holds has doubled, or an eighth of the stack has become garbage.
static void pace_collector(lua_State *L) {
  clua_state *s = clua_state_of(L);
  size_t stack = s->stack_bytes, rest = s->memory_used - stack;
  int pause = stack ? (int)(100 * (stack + 2 * rest) / (stack + rest)) : 200;
  lua_gc(L, LUA_GCSETPAUSE, pause < 112 ? 112 : pause);
}

/// Charges what has run, and comes sooner where instructions are slow, so that a request to stop is heard in time.
static void count_hook(lua_State *L, lua_Debug *activation) {
  (void)activation;
  clua_state *s = clua_state_of(L);
  pace_collector(L);
  int ran = s->pace.period;
  double now = clua_now(), took = now - s->pace.last;
  s->pace.last = now;
  if (took > CLUA_SLOW_PERIOD && ran > 1)
    set_period(L, took > ran * CLUA_SLOW_PERIOD ? 1 : (int)(ran * CLUA_SLOW_PERIOD / took) + 1);
  else if (took < CLUA_SLOW_PERIOD / 8 && ran < CLUA_PERIOD && !s->meter.stop)
    set_period(L, ran * 4 < CLUA_PERIOD ? ran * 4 : CLUA_PERIOD);
  clua_charge(L, (size_t)ran);
}

static int open_protected(lua_State *L) {
  clua_open_objects(L);
  clua_open_sandbox(L);
  return 0;
}

lua_State *clua_open(clua_callbacks callbacks, size_t memory_limit) {
  clua_state *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->callbacks = callbacks;
  s->memory_limit = memory_limit;
  s->in_host = true;
  s->meter.limit = INT64_MAX;
  atomic_init(&s->cancelled, false);
  atomic_init(&s->watchdog.running, false);
  atomic_init(&s->watchdog.verdict, CLUA_STOP_NONE);
  atomic_init(&s->watchdog.lasting, 0);
  lua_State *L = lua_newstate(allocate, s);
  if (!L) {
    free(s);
    return NULL;
  }
  lua_atpanic(L, panic);
  *(clua_state **)lua_getextraspace(L) = s;
  s->L = L;
  bool fixed = fix_stack(L);
  lua_pushcfunction(L, open_protected);
  if (lua_pcall(L, 0, 0, 0) != LUA_OK || !fixed) {
    lua_close(L);
    free(s);
    return NULL;
  }
  s->over_memory = false;
  set_period(L, CLUA_PERIOD);
  pace_collector(L);
  return L;
}

void clua_close(lua_State *L) {
  clua_state *s = clua_state_of(L);
  clua_watchdog_close(s);
  lua_close(L);
  free(s);
}

void clua_set_context(lua_State *L, void *context) { clua_state_of(L)->callbacks.context = context; }
size_t clua_memory_used(lua_State *L) { return clua_state_of(L)->memory_used - clua_state_of(L)->stack_bytes; }
void clua_collect(lua_State *L) { lua_gc(L, LUA_GCCOLLECT); }
void clua_owe(lua_State *L, size_t units) {
  clua_state *s = clua_state_of(L);
  s->owed = units > SIZE_MAX - s->owed ? SIZE_MAX : s->owed + units;
}
void clua_set_cancelled(lua_State *L, bool cancelled) { atomic_store(&clua_state_of(L)->cancelled, cancelled); }

// Stopping for good.

static void set_stop(lua_State *L, clua_stop stop) {
  clua_state *s = clua_state_of(L);
  if (s->meter.stop) return;
  s->meter.stop = stop;
  if ((stop == CLUA_STOP_MEMORY || stop == CLUA_STOP_STACK) && s->denied_source[0]) {
    memcpy(s->error_source, s->denied_source, sizeof s->error_source);
    s->error_line = s->denied_line;
  } else {
    clua_where(L, s->error_source, sizeof s->error_source, &s->error_line);
  }
  set_period(L, 1);  // should a script catch it, its next instruction raises again
}

int clua_raise_stop(lua_State *L, clua_stop stop) {
  set_stop(L, stop);
  lua_checkstack(L, 1);
  lua_pushliteral(L, "stopped");
  return lua_error(L);
}

void clua_pass_stop(lua_State *L, int status) {
  clua_state *s = clua_state_of(L);
  if (!s->meter.stop) {
    // The buffers of the auxiliary library report a refused allocation as an ordinary error.
    const char *text = s->denied && lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, NULL) : NULL;
    if (status != LUA_ERRMEM && !(text && strstr(text, "not enough memory"))) return;
  }
  clua_raise_stop(L, s->overflowed ? CLUA_STOP_STACK : CLUA_STOP_MEMORY);
}

// Where the script is only its own thread can tell.
static void tell_lasting(lua_State *L, clua_state *s) {
  int milliseconds = atomic_exchange(&s->watchdog.lasting, 0);
  char source[512];
  int line;
  if (milliseconds == 0 || !s->callbacks.lasts || !clua_where(L, source, sizeof source, &line)) return;
  s->callbacks.lasts(s->callbacks.context, source, line, milliseconds / 1e3);
}

void clua_hear_stop(lua_State *L) {
  clua_state *s = clua_state_of(L);
  if (atomic_load_explicit(&s->watchdog.lasting, memory_order_relaxed) != 0) tell_lasting(L, s);
  if (atomic_load_explicit(&s->cancelled, memory_order_relaxed)) clua_raise_stop(L, CLUA_STOP_CANCELLED);
  clua_stop verdict = (clua_stop)atomic_load_explicit(&s->watchdog.verdict, memory_order_relaxed);
  if (verdict != CLUA_STOP_NONE) clua_raise_stop(L, verdict);
}

void clua_charge(lua_State *L, size_t units) {
  clua_state *s = clua_state_of(L);
  clua_meter *m = &s->meter;
  if (m->stop) clua_raise_stop(L, m->stop);
  m->used = units > (size_t)(INT64_MAX - m->used) ? INT64_MAX : m->used + (int64_t)units;
  if (m->used > m->limit) clua_raise_stop(L, CLUA_STOP_INSTRUCTIONS);
  clua_hear_stop(L);
  if (s->over_memory) clua_check_room(L, 0);
}

void clua_check_room(lua_State *L, size_t bytes) {
  clua_state *s = clua_state_of(L);
  s->over_memory = false;
  for (int collected = 0; collected < 2; collected++) {
    if (bytes <= s->memory_limit && s->memory_used <= s->memory_limit - bytes) return;
    if (!collected) lua_gc(L, LUA_GCCOLLECT);
  }
  clua_raise_stop(L, CLUA_STOP_MEMORY);
}

// Compiling and calling.

typedef struct load_request {
  const char *text, *name;
  size_t length;
} load_request;

static int load_protected(lua_State *L) {
  load_request *r = lua_touserdata(L, 1);
  if (luaL_loadbufferx(L, r->text, r->length, r->name, "t") != LUA_OK) return lua_error(L);
  return 1;
}

int clua_load(lua_State *L, const char *text, size_t length, const char *name) {
  load_request request = {text, name, length};
  lua_checkstack(L, 8);
  lua_pushcfunction(L, load_protected);
  lua_pushlightuserdata(L, &request);
  clua_state *s = clua_state_of(L);
  bool was = clua_enter(s, false);
  int status = lua_pcall(L, 1, 1, 0);
  clua_enter(s, was);
  return status;
}

// The message handler: notes the place, and turns error values that are not strings into one.
static int describe_error(lua_State *L) {
  clua_state *s = clua_state_of(L);
  if (s->meter.stop) return 1;
  clua_where(L, s->error_source, sizeof s->error_source, &s->error_line);
  if (lua_type(L, 1) == LUA_TSTRING) return 1;
  if (luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL) clua_tolstring(L, 1, NULL);
  else lua_pushfstring(L, "error value is a %s", luaL_typename(L, 1));
  return 1;
}

static void name_function(lua_State *L, int index, char *what, size_t size) {
  clua_function_info f = clua_inspect(L, index);
  if (f.is_lua && f.first_line > 0) snprintf(what, size, "%s:%d", f.source, f.first_line);
  else if (f.is_lua) snprintf(what, size, "%s", f.source);
  else snprintf(what, size, "a host function");
}

void clua_call(lua_State *L, int arguments, int64_t instructions, clua_outcome *outcome) {
  clua_state *s = clua_state_of(L);
  int base = lua_gettop(L) - arguments;
  *outcome = (clua_outcome){0};
  if (!lua_checkstack(L, LUA_MINSTACK)) {
    lua_settop(L, base - 1);
    lua_pushliteral(L, "stack overflow");
    outcome->status = LUA_ERRRUN;
    return;
  }
  bool outermost = s->depth == 0, own = outermost || instructions > 0;
  clua_meter outer = s->meter;
  if (own) s->meter = (clua_meter){.limit = instructions > 0 ? instructions : INT64_MAX};
  if (outermost) {
    char what[sizeof s->watchdog.what];
    name_function(L, base, what, sizeof what);
    clua_watchdog_begin(s, what);
    s->pace.last = clua_now();
  }
  lua_pushcfunction(L, describe_error);
  lua_insert(L, base);
  s->depth++;
  s->denied = s->overflowed = false;
  s->denied_source[0] = 0;
  s->error_line = 0;
  s->error_source[0] = 0;
  bool was = clua_enter(s, false), works = clua_set_engine_works(L, false);
  int status = lua_pcall(L, arguments, LUA_MULTRET, base);
  clua_set_engine_works(L, works);
  clua_enter(s, was);
  s->depth--;
  lua_remove(L, base);
  if (status != LUA_OK && !s->meter.stop) {
    const char *text = s->denied && lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, NULL) : NULL;
    if (status == LUA_ERRMEM || (text && strstr(text, "not enough memory")))
      set_stop(L, s->overflowed ? CLUA_STOP_STACK : CLUA_STOP_MEMORY);
  }
  outcome->status = status;
  outcome->stop = status == LUA_OK ? CLUA_STOP_NONE : s->meter.stop;
  outcome->line = s->error_line;
  memcpy(outcome->source, s->error_source, sizeof outcome->source);
  if (outermost) clua_watchdog_end(s);
  if (own) {
    bool stopped = s->meter.stop != CLUA_STOP_NONE;
    s->meter = outer;
    if (stopped && !outer.stop) {
      set_period(L, CLUA_PERIOD);
      if (!outermost) s->meter.used += CLUA_PERIOD;  // setting the hook forgot the instructions since its last run
    }
  }
}
