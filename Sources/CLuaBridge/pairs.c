// pairs in a stated order: numbers, strings byte by byte, booleans, objects in the order of their making, then the
// rest. The order of Lua's own depends on addresses, which differ in every run.
#include "internal.h"
#include <string.h>

typedef enum key_rank { KEY_NUMBER, KEY_STRING, KEY_BOOLEAN, KEY_OBJECT, KEY_OTHER } key_rank;

typedef struct key {
  key_rank rank;
  bool is_integer;
  lua_Integer integer;          ///< also: a boolean, an object's serial number
  lua_Number number;
  const char *text;             ///< alive as long as the table of keys is
  size_t length;
  lua_Integer place;            ///< in the table of keys
} key;

static key key_at_top(lua_State *L, lua_Integer place) {
  key k = {.rank = KEY_OTHER, .place = place};
  switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
      k.rank = KEY_NUMBER;
      k.is_integer = lua_isinteger(L, -1);
      k.integer = k.is_integer ? lua_tointeger(L, -1) : 0;
      k.number = lua_tonumber(L, -1);
      break;
    case LUA_TSTRING:
      k.rank = KEY_STRING;
      k.text = lua_tolstring(L, -1, &k.length);
      break;
    case LUA_TBOOLEAN:
      k.rank = KEY_BOOLEAN;
      k.integer = lua_toboolean(L, -1);
      break;
    case LUA_TUSERDATA:
      k.rank = KEY_OBJECT;
      k.integer = (lua_Integer)clua_object_serial(L, -1);
      break;
    default: break;
  }
  return k;
}

static bool key_less(const key *a, const key *b) {
  if (a->rank != b->rank) return a->rank < b->rank;
  if (a->rank == KEY_STRING) {
    int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
    return order != 0 ? order < 0 : a->length < b->length;
  }
  if (a->rank == KEY_NUMBER && !(a->is_integer && b->is_integer)) return a->number < b->number;
  return a->integer < b->integer;
}

/// Merges runs of doubling width to and fro; returns where the result is.
static key *sort_keys(key *from, key *to, size_t n) {
  for (size_t width = 1; width < n; width *= 2) {
    for (size_t low = 0; low < n; low += 2 * width) {
      size_t middle = low + width < n ? low + width : n, high = middle + width < n ? middle + width : n;
      size_t left = low, right = middle;
      for (size_t out = low; out < high; out++) {
        bool take_right = left == middle || (right < high && key_less(&from[right], &from[left]));
        to[out] = from[take_right ? right++ : left++];
      }
    }
    key *other = from;
    from = to;
    to = other;
  }
  return from;
}

/// Replaces the table of n keys on top by one in order.
static void order_keys(lua_State *L, lua_Integer n) {
  key *keys = lua_newuserdatauv(L, 2 * (size_t)n * sizeof(key), 0);
  bool sorted = true;
  for (lua_Integer i = 0; i < n; i++) {
    lua_rawgeti(L, -2, i + 1);
    keys[i] = key_at_top(L, i + 1);
    lua_pop(L, 1);
    if (i > 0 && key_less(&keys[i], &keys[i - 1])) sorted = false;
  }
  if (!sorted) {
    key *ordered = sort_keys(keys, keys + n, (size_t)n);
    lua_createtable(L, (int)n, 0);
    for (lua_Integer i = 0; i < n; i++) {
      lua_rawgeti(L, -3, ordered[i].place);
      lua_rawseti(L, -2, i + 1);
    }
    lua_replace(L, -3);
  }
  lua_pop(L, 1);
}

// Upvalues: the keys in order, how many have been visited. Called as next(table, key): by a for loop, which hands over
// the table that pairs returned, or by a script, which may hand over anything.
static int next_in_order(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  clua_push_content(L, 1);
  lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));
  for (;;) {
    i++;
    if (lua_rawgeti(L, lua_upvalueindex(1), i) == LUA_TNIL) return 1;
    lua_pushvalue(L, -1);
    if (lua_rawget(L, 2) != LUA_TNIL) break;
    lua_pop(L, 2);
  }
  lua_pushinteger(L, i);
  lua_replace(L, lua_upvalueindex(2));
  return 2;
}

int clua_pairs(lua_State *L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
    lua_pushvalue(L, 1);
    lua_call(L, 1, 3);
    return 3;
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  clua_push_content(L, 1);
  lua_createtable(L, 0, 0);
  lua_Integer n = 0;
  lua_pushnil(L);
  while (lua_next(L, 2)) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, 3, ++n);
  }
  clua_charge(L, (size_t)n);
  order_keys(L, n);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_in_order, 2);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}
