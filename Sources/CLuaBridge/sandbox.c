// What a script can reach: an allow-list, read-only.
//
// Globals live in one table that scripts never hold; each chunk has an environment of its own that falls back to it.
// A read-only table is emptied into a table behind it, kept in its metatable; since scripts have no raw access, all
// they can do goes through the metamethods here.
#include "internal.h"
#include <string.h>

static const char globals_key, content_key;

static int refuse_assignment(lua_State *L) {
  clua_tolstring(L, 2, NULL);
  return luaL_error(L, "cannot assign '%s': %s", lua_tostring(L, -1), lua_tostring(L, lua_upvalueindex(1)));
}

static int content_length(lua_State *L) {
  clua_push_content(L, 1);
  lua_pushinteger(L, luaL_len(L, -1));
  return 1;
}

// The content itself must not get out, which Lua's own pairs would hand to the script.
static int content_pairs(lua_State *L) {
  lua_settop(L, 1);
  if (!clua_is_frozen(L, 1)) return luaL_error(L, "not a read-only table");
  lua_getmetatable(L, 1);
  lua_rawgetp(L, -1, &content_key);
  lua_replace(L, 2);
  lua_pushcfunction(L, clua_pairs);
  lua_pushvalue(L, 2);
  lua_call(L, 1, 1);  // the iterator, over the content
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

void clua_push_content(lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (lua_getmetatable(L, index)) {
    if (lua_rawgetp(L, -1, &content_key) == LUA_TTABLE) {
      lua_remove(L, -2);
      return;
    }
    lua_pop(L, 2);
  }
  lua_pushvalue(L, index);
}

bool clua_is_frozen(lua_State *L, int index) {
  if (!lua_getmetatable(L, index)) return false;
  bool frozen = lua_rawgetp(L, -1, &content_key) == LUA_TTABLE;
  lua_pop(L, 2);
  return frozen;
}

void clua_freeze(lua_State *L, int index, const char *reason) {
  index = lua_absindex(L, index);
  lua_checkstack(L, 8);
  if (clua_is_frozen(L, index)) return;
  bool has_metatable = lua_getmetatable(L, index);
  if (!has_metatable) lua_pushnil(L);
  int behind = lua_gettop(L);
  lua_createtable(L, 0, 8);
  int content = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, content);
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushnil(L);
    lua_rawset(L, index);  // clearing a field while visiting is allowed
  }
  lua_pushvalue(L, behind);
  if (has_metatable) lua_setmetatable(L, content);
  else lua_pop(L, 1);
  lua_createtable(L, 0, 6);
  lua_pushvalue(L, content);
  lua_rawsetp(L, -2, &content_key);
  lua_pushvalue(L, content);
  clua_raw_set_field(L, -2, "__index");
  lua_pushstring(L, reason);
  lua_pushcclosure(L, refuse_assignment, 1);
  clua_raw_set_field(L, -2, "__newindex");
  lua_pushcfunction(L, content_length);
  clua_raw_set_field(L, -2, "__len");
  lua_pushcfunction(L, content_pairs);
  clua_raw_set_field(L, -2, "__pairs");
  lua_pushboolean(L, 0);
  clua_raw_set_field(L, -2, "__metatable");
  lua_setmetatable(L, index);
  lua_settop(L, behind - 1);
}

void clua_push_globals(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &globals_key); }

void clua_set_undefined(lua_State *L) {
  clua_push_globals(L);
  lua_getmetatable(L, -1);
  lua_rotate(L, -3, 2);
  clua_raw_set_field(L, -2, "__index");  // stack: globals, metatable, function
  lua_pop(L, 2);
}

void clua_push_environment(lua_State *L) {
  lua_createtable(L, 0, 8);
  lua_createtable(L, 0, 2);
  clua_push_globals(L);
  clua_raw_set_field(L, -2, "__index");
  lua_pushboolean(L, 0);
  clua_raw_set_field(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  clua_raw_set_field(L, -2, "_G");
}

// Opens a library and leaves its table on the stack.
static void open_library(lua_State *L, const char *name, lua_CFunction open, const char *const *removed) {
  luaL_requiref(L, name, open, 0);
  for (; *removed; removed++) {
    lua_pushnil(L);
    lua_setfield(L, -2, *removed);
  }
}

static void set_library(lua_State *L, int globals, const char *name) {
  lua_pushfstring(L, "library '%s' is read-only", name);
  clua_freeze(L, -2, lua_tostring(L, -1));
  lua_pop(L, 1);
  lua_setfield(L, globals, name);
}

void clua_open_sandbox(lua_State *L) {
  static const char *const base_removed[] = {
    "collectgarbage", "dofile", "load", "loadfile", "rawequal", "rawget",
    "rawlen",         "rawset", "warn", "print",    "_G",       NULL,
  };
  static const char *const string_removed[] = {"dump", NULL};
  static const char *const none[] = {NULL};

  open_library(L, "_G", luaopen_base, base_removed);
  clua_set_base_functions(L);
  int globals = lua_gettop(L);
  lua_pushvalue(L, globals);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &globals_key);

  open_library(L, "string", luaopen_string, string_removed);
  clua_set_string_functions(L);
  clua_set_pattern_functions(L);
  set_library(L, globals, "string");
  // The string library gave strings a metatable, whose __index is the library (now frozen).
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_getfield(L, globals, "string");
  clua_push_content(L, -1);
  lua_setfield(L, -3, "__index");
  lua_pop(L, 3);

  lua_createtable(L, 0, 8);
  clua_set_table_functions(L);
  set_library(L, globals, "table");
  open_library(L, "math", luaopen_math, none);
  set_library(L, globals, "math");
  open_library(L, "utf8", luaopen_utf8, none);
  clua_set_utf8_functions(L);
  set_library(L, globals, "utf8");

  lua_createtable(L, 0, 2);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, globals);

  // What opening the libraries left in the registry is not for scripts.
  lua_pushnil(L);
  lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_settop(L, 0);
}
