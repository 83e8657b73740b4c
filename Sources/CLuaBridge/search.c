// find, match, gmatch and gsub over the pattern matcher.
#define _GNU_SOURCE  // memmem
#include "patterns.h"
#include <string.h>

/// A start position as scripts give it (from 1, negative from the end) as an offset; past the end when beyond it.
static size_t offset_of(lua_Integer position, size_t length) {
  if (position > 0) return (lua_Unsigned)position - 1 > length ? length + 1 : (size_t)position - 1;
  if (position == 0 || position < -(lua_Integer)length) return 0;
  return length - (size_t)-position;
}

static bool is_plain(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (text[i] && strchr("^$*+?.([%-", text[i])) return false;
  return true;
}

static int find_or_match(lua_State *L, bool find) {
  size_t length, pattern_length;
  const char *text = luaL_checklstring(L, 1, &length), *pattern = luaL_checklstring(L, 2, &pattern_length);
  size_t start = offset_of(luaL_optinteger(L, 3, 1), length);
  if (start > length) {
    lua_pushnil(L);
    return 1;
  }
  if (find && (lua_toboolean(L, 4) || is_plain(pattern, pattern_length))) {
    clua_charge(L, (length - start + pattern_length) / 16);
    const char *found = pattern_length ? memmem(text + start, length - start, pattern, pattern_length) : text + start;
    if (!found) {
      lua_pushnil(L);
      return 1;
    }
    lua_pushinteger(L, found - text + 1);
    lua_pushinteger(L, found - text + (lua_Integer)pattern_length);
    return 2;
  }
  clua_match m = {.L = L, .subject = (const unsigned char *)text, .end = (const unsigned char *)text + length};
  m.pattern = clua_compile_pattern(L, pattern, pattern_length, true);
  for (const unsigned char *at = m.subject + start; at <= m.end; at++) {
    const unsigned char *end = clua_match_at(&m, at);
    if (end) {
      if (!find) return clua_push_captures(&m, at, end);
      lua_pushinteger(L, at - m.subject + 1);
      lua_pushinteger(L, end - m.subject);
      return 2 + clua_push_captures(&m, NULL, NULL);
    }
    if (clua_pattern_is_anchored(m.pattern)) break;
  }
  lua_pushnil(L);
  return 1;
}

static int find(lua_State *L) { return find_or_match(L, true); }
static int match(lua_State *L) { return find_or_match(L, false); }

// Upvalues: subject, compiled pattern, offset to go on from, end of the match before (-1: none).
static int next_match(lua_State *L) {
  size_t length;
  const char *text = lua_tolstring(L, lua_upvalueindex(1), &length);
  clua_match m = {.L = L, .subject = (const unsigned char *)text, .end = (const unsigned char *)text + length};
  m.pattern = lua_touserdata(L, lua_upvalueindex(2));
  const unsigned char *before = m.subject + lua_tointeger(L, lua_upvalueindex(4));
  for (const unsigned char *at = m.subject + lua_tointeger(L, lua_upvalueindex(3)); at <= m.end; at++) {
    const unsigned char *end = clua_match_at(&m, at);
    if (!end || end == before) continue;
    lua_pushinteger(L, end - m.subject);
    lua_copy(L, -1, lua_upvalueindex(3));
    lua_replace(L, lua_upvalueindex(4));
    return clua_push_captures(&m, at, end);
  }
  lua_pushinteger(L, (lua_Integer)length + 1);
  lua_replace(L, lua_upvalueindex(3));
  return 0;
}

static int gmatch(lua_State *L) {
  size_t length, pattern_length;
  luaL_checklstring(L, 1, &length);
  const char *pattern = luaL_checklstring(L, 2, &pattern_length);
  size_t start = offset_of(luaL_optinteger(L, 3, 1), length);
  lua_settop(L, 2);
  clua_compile_pattern(L, pattern, pattern_length, false);
  lua_replace(L, 2);
  lua_pushinteger(L, (lua_Integer)start);
  lua_pushinteger(L, -1);
  lua_pushcclosure(L, next_match, 4);
  return 1;
}

static void add_template(clua_match *m, luaL_Buffer *out, const unsigned char *start, const unsigned char *end) {
  lua_State *L = m->L;
  size_t length;
  const char *text = lua_tolstring(L, 3, &length);
  for (size_t i = 0; i < length; i++) {
    if (text[i] != '%') {
      luaL_addchar(out, text[i]);
      continue;
    }
    char c = ++i < length ? text[i] : '\0';
    if (c == '%') {
      luaL_addchar(out, '%');
    } else if (c == '0') {
      luaL_addlstring(out, (const char *)start, (size_t)(end - start));
    } else if (c >= '1' && c <= '9') {
      clua_push_capture(m, c - '1', start, end);
      lua_tolstring(L, -1, NULL);
      luaL_addvalue(out);
    } else {
      luaL_error(L, "invalid use of '%%' in replacement string");
    }
  }
  clua_charge(L, 1 + length / 16);
}

/// Adds what stands for the match; true when that differs from the match.
static bool add_replacement(clua_match *m, luaL_Buffer *out, const unsigned char *start, const unsigned char *end) {
  lua_State *L = m->L;
  switch (lua_type(L, 3)) {
    case LUA_TFUNCTION: {
      lua_pushvalue(L, 3);
      lua_call(L, clua_push_captures(m, start, end), 1);
      break;
    }
    case LUA_TTABLE:
      clua_push_capture(m, 0, start, end);
      lua_gettable(L, 3);
      break;
    default: add_template(m, out, start, end); return true;
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    luaL_addlstring(out, (const char *)start, (size_t)(end - start));
    return false;
  }
  if (!lua_isstring(L, -1)) {
    clua_push_typename(L, -1);
    luaL_error(L, "invalid replacement value (a %s)", lua_tostring(L, -1));
  }
  luaL_addvalue(out);
  return true;
}

static int gsub(lua_State *L) {
  size_t length, pattern_length;
  const char *text = luaL_checklstring(L, 1, &length), *pattern = luaL_checklstring(L, 2, &pattern_length);
  int type = lua_type(L, 3);
  luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
                   "string/function/table");
  if (type == LUA_TNUMBER) lua_tolstring(L, 3, NULL);
  lua_Integer most = luaL_optinteger(L, 4, LUA_MAXINTEGER), count = 0;
  clua_match m = {.L = L, .subject = (const unsigned char *)text, .end = (const unsigned char *)text + length};
  m.pattern = clua_compile_pattern(L, pattern, pattern_length, true);
  const unsigned char *at = m.subject, *before = NULL;
  bool changed = false;
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  while (count < most) {
    const unsigned char *end = clua_match_at(&m, at);
    if (end && end != before) {
      count++;
      if (add_replacement(&m, &out, at, end)) changed = true;
      at = before = end;
    } else if (at < m.end) {
      luaL_addchar(&out, (char)*at++);
    } else {
      break;
    }
    if (clua_pattern_is_anchored(m.pattern)) break;
  }
  if (changed) {
    luaL_addlstring(&out, (const char *)at, (size_t)(m.end - at));
    luaL_pushresult(&out);
  } else {
    lua_pushvalue(L, 1);
  }
  lua_pushinteger(L, count);
  return 2;
}

void clua_set_pattern_functions(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"find", find}, {"match", match}, {"gmatch", gmatch}, {"gsub", gsub}, {NULL, NULL},
  };
  clua_set_character_classes(clua_state_of(L));
  luaL_setfuncs(L, functions, 0);
}
