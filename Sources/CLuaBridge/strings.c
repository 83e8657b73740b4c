// string.rep and string.format with their sizes checked and addresses kept out, and the functions of the
// libraries string and utf8 charged for the bytes they go over.
#include "internal.h"
#include <string.h>

/// About as many as are copied or compared in the time of one instruction.
enum { BYTES_PER_UNIT = 64 };

/// Bytes of the strings among the values from one stack index to another.
static size_t string_bytes(lua_State *L, int first, int last) {
  size_t bytes = 0;
  for (int i = first; i <= last; i++)
    if (lua_type(L, i) == LUA_TSTRING) bytes += lua_rawlen(L, i);
  return bytes;
}

static int rep(lua_State *L) {
  size_t length, separator_length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_Integer count = luaL_checkinteger(L, 2);
  const char *separator = luaL_optlstring(L, 3, "", &separator_length);
  size_t unit = length + separator_length;
  if (count <= 0 || unit == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  if ((lua_Unsigned)count > (SIZE_MAX / 4) / unit) return clua_raise_stop(L, CLUA_STOP_MEMORY);
  size_t total = unit * (size_t)count - separator_length;
  clua_check_room(L, total);
  clua_charge(L, (size_t)count + total / 64);
  luaL_Buffer result;
  char *out = luaL_buffinitsize(L, &result, total);
  for (lua_Integer i = 0; i < count; i++) {
    memcpy(out, text, length);
    out += length;
    if (i + 1 == count) break;
    memcpy(out, separator, separator_length);
    out += separator_length;
  }
  luaL_pushresultsize(&result, total);
  return 1;
}

// Lua's own format does the work (upvalue 1). Before that, every value that %s would print by its address is
// replaced by its address-free text, and %p becomes %s of the value's type.
static int format(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  int arguments = lua_gettop(L), next = 1;
  luaL_checkstack(L, 8, NULL);
  char *copy = lua_newuserdatauv(L, length + 1, 0);
  memcpy(copy, text, length + 1);
  for (size_t i = 0; i < length; i++) {
    if (copy[i] != '%') continue;
    i++;
    if (i < length && copy[i] == '%') continue;
    while (i < length && copy[i] && strchr("-+ #0123456789.", copy[i])) i++;
    if (i >= length || ++next > arguments) break;
    if (copy[i] == 'p') {
      copy[i] = 's';
      clua_push_typename(L, next);
      lua_replace(L, next);
    } else if (copy[i] == 's') {
      clua_tolstring(L, next, NULL);
      lua_replace(L, next);
    }
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_pushlstring(L, copy, length);
  lua_replace(L, 2);
  lua_pop(L, 1);
  size_t bytes = string_bytes(L, 2, arguments + 1);
  clua_check_room(L, bytes);
  clua_charge(L, bytes / BYTES_PER_UNIT);
  lua_call(L, arguments, 1);
  return 1;
}

// Upvalue: a function of Lua's own that goes over all of its strings; it is handed the same arguments.
static int charged_for_arguments(lua_State *L) {
  clua_charge(L, string_bytes(L, 1, lua_gettop(L)) / BYTES_PER_UNIT);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

// Upvalue: a function of Lua's own that makes one string as long as all of its strings.
static int charged_for_result(lua_State *L) {
  clua_check_room(L, string_bytes(L, 1, lua_gettop(L)));
  return charged_for_arguments(L);
}

// Upvalue: a function of Lua's own that takes parts out of a string.
static int charged_for_results(lua_State *L) {
  int results = lua_tocfunction(L, lua_upvalueindex(1))(L);
  int top = lua_gettop(L);
  clua_charge(L, (size_t)results / 8 + string_bytes(L, top - results + 1, top) / BYTES_PER_UNIT);
  return results;
}

/// Wraps the named functions of the library table on top.
static void charge_functions(lua_State *L, const char *const *names, lua_CFunction wrapper) {
  for (; *names; names++) {
    lua_getfield(L, -1, *names);
    lua_pushcclosure(L, wrapper, 1);
    lua_setfield(L, -2, *names);
  }
}

void clua_set_utf8_functions(lua_State *L) {
  static const char *const whole[] = {"len", NULL}, *const parts[] = {"codepoint", NULL};
  charge_functions(L, whole, charged_for_arguments);
  charge_functions(L, parts, charged_for_results);
}

void clua_set_string_functions(lua_State *L) {
  static const char *const whole[] = {"lower", "pack", "reverse", "upper", NULL};
  static const char *const parts[] = {"byte", "sub", "unpack", NULL};
  charge_functions(L, whole, charged_for_result);
  charge_functions(L, parts, charged_for_results);
  lua_pushcfunction(L, rep);
  lua_setfield(L, -2, "rep");
  lua_getfield(L, -1, "format");
  lua_pushcclosure(L, format, 1);
  lua_setfield(L, -2, "format");
}
