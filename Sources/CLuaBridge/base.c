// The functions of the base library that are safer here than in Lua's own.
#include "internal.h"

void clua_push_typename(lua_State *L, int index) {
  index = lua_absindex(L, index);
  int type = luaL_getmetafield(L, index, "__name");
  if (type == LUA_TSTRING) return;
  if (type != LUA_TNIL) lua_pop(L, 1);
  lua_pushstring(L, luaL_typename(L, index));
}

const char *clua_tolstring(lua_State *L, int index, size_t *length) {
  index = lua_absindex(L, index);
  if (luaL_callmeta(L, index, "__tostring")) {
    if (!lua_isstring(L, -1)) luaL_error(L, "'__tostring' must return a string");
    return lua_tolstring(L, -1, length);
  }
  switch (lua_type(L, index)) {
    case LUA_TNIL:
    case LUA_TBOOLEAN:
    case LUA_TNUMBER:
    case LUA_TSTRING: return luaL_tolstring(L, index, length);
    default: clua_push_typename(L, index); return lua_tolstring(L, -1, length);
  }
}

static int tostring(lua_State *L) {
  luaL_checkany(L, 1);
  clua_tolstring(L, 1, NULL);
  return 1;
}

/// Of a list that is printed: elements, and lists in it.
enum { MOST_PRINTED = 32, DEEPEST_PRINTED = 4 };

// A list of numbers, strings, booleans and such lists as `{1, 2, 3}`; any other value as `tostring` has it. Reads
// without metamethods, and no more than can be looked at. Elements are read to the stack's places from `free` on: the
// buffer may have something of its own on top.
static void add_shown(lua_State *L, luaL_Buffer *text, int index, int free, int depth) {
  size_t count = lua_type(L, index) == LUA_TTABLE ? lua_rawlen(L, index) : 0;
  if (count == 0 || depth > DEEPEST_PRINTED || luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
    if (count > 0 && depth <= DEEPEST_PRINTED) lua_pop(L, 1);
    clua_tolstring(L, index, NULL);
    luaL_addvalue(text);
    return;
  }
  luaL_addchar(text, '{');
  for (size_t i = 1; i <= count; i++) {
    if (i > 1) luaL_addstring(text, ", ");
    if (i > MOST_PRINTED) {
      luaL_addstring(text, "...");
      break;
    }
    lua_rawgeti(L, index, (lua_Integer)i);
    lua_replace(L, free);
    add_shown(L, text, free, free + 1, depth + 1);
  }
  luaL_addchar(text, '}');
}

// Upvalue: the host's function of one string.
static int print(lua_State *L) {
  int n = lua_gettop(L);
  luaL_Buffer text;
  luaL_checkstack(L, DEEPEST_PRINTED + 2 + LUA_MINSTACK, "too much to print");
  lua_settop(L, n + DEEPEST_PRINTED + 2);
  luaL_buffinit(L, &text);
  for (int i = 1; i <= n; i++) {
    if (i > 1) luaL_addchar(&text, '\t');
    add_shown(L, &text, i, n + 1, 0);
  }
  luaL_pushresult(&text);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, -2);
  lua_call(L, 1, 0);
  return 0;
}

void clua_set_print(lua_State *L) {
  clua_push_globals(L);
  lua_insert(L, -2);
  lua_pushcclosure(L, print, 1);
  clua_raw_set_field(L, -2, "print");
  lua_pop(L, 1);
}

/// What a caught error counts for: unwinding walks the whole call stack, however deep that is.
enum { CAUGHT_ERROR_UNITS = 1000 };

static int failure(lua_State *L, int status) {
  clua_pass_stop(L, status);
  clua_charge(L, CAUGHT_ERROR_UNITS);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

static int protected_call(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
  return status == LUA_OK ? lua_gettop(L) : failure(L, status);
}

// A stop is raised inside the hook, where hooks are off: a handler written in Lua would be outside every budget.
static int guarded_handler(lua_State *L) {
  if (clua_state_of(L)->meter.stop) return 1;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

static int protected_call_with_handler(lua_State *L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  int n = lua_gettop(L);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, guarded_handler, 1);
  lua_replace(L, 2);
  lua_pushboolean(L, 1);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2);  // function, handler, true, function, arguments
  int status = lua_pcall(L, n - 2, LUA_MULTRET, 2);
  return status == LUA_OK ? lua_gettop(L) - 2 : failure(L, status);
}

// A finalizer written in Lua would run with hooks off, outside every budget.
static int setmetatable(lua_State *L) {
  int type = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (type == LUA_TTABLE) {
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, 2) != LUA_TNIL) return luaL_error(L, "__gc is not available to scripts");
  }
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return luaL_error(L, "cannot change a protected metatable");
  lua_settop(L, 2);
  lua_setmetatable(L, 1);
  return 1;
}

static int next(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  clua_push_content(L, 1);
  lua_replace(L, 1);
  if (lua_next(L, 1)) return 2;
  lua_pushnil(L);
  return 1;
}

void clua_set_base_functions(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"tostring", tostring}, {"pcall", protected_call}, {"xpcall", protected_call_with_handler},
    {"setmetatable", setmetatable}, {"next", next}, {"pairs", clua_pairs}, {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
