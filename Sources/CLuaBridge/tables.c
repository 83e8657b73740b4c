// The table library: as the manual has it, but every step is accounted for, since a `__len` may claim anything, and
// sorting is stable and the same in every run.
#include "internal.h"

static void check_table(lua_State *L, int index) { luaL_checktype(L, index, LUA_TTABLE); }

static int insert(lua_State *L) {
  check_table(L, 1);
  int arguments = lua_gettop(L);
  if (arguments != 2 && arguments != 3) return luaL_error(L, "wrong number of arguments to 'insert'");
  lua_Integer end = (lua_Integer)((lua_Unsigned)luaL_len(L, 1) + 1), position = end;
  if (arguments == 3) {
    position = luaL_checkinteger(L, 2);
    luaL_argcheck(L, (lua_Unsigned)position - 1u < (lua_Unsigned)end, 2, "position out of bounds");
  }
  for (lua_Integer i = end; i > position; i--) {
    clua_charge(L, 1);
    lua_geti(L, 1, i - 1);
    lua_seti(L, 1, i);
  }
  lua_settop(L, arguments);
  lua_seti(L, 1, position);
  return 0;
}

static int remove_element(lua_State *L) {
  check_table(L, 1);
  lua_Integer size = luaL_len(L, 1), position = luaL_optinteger(L, 2, size);
  if (position != size)
    luaL_argcheck(L, (lua_Unsigned)position - 1u <= (lua_Unsigned)size, 2, "position out of bounds");
  lua_geti(L, 1, position);
  for (; position < size; position++) {
    clua_charge(L, 1);
    lua_geti(L, 1, position + 1);
    lua_seti(L, 1, position);
  }
  lua_pushnil(L);
  lua_seti(L, 1, position);
  return 1;
}

static int move(lua_State *L) {
  int target = lua_isnoneornil(L, 5) ? 1 : 5;
  lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3), to = luaL_checkinteger(L, 4);
  check_table(L, 1);
  check_table(L, target);
  if (last >= first) {
    luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
    lua_Integer count = last - first + 1;
    luaL_argcheck(L, to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
    bool overlaps = to > first && to <= last && (target == 1 || lua_rawequal(L, 1, target));
    for (lua_Integer k = 0; k < count; k++) {
      clua_charge(L, 1);
      lua_Integer i = overlaps ? count - 1 - k : k;
      lua_geti(L, 1, first + i);
      lua_seti(L, target, to + i);
    }
  }
  lua_pushvalue(L, target);
  return 1;
}

static int concat(lua_State *L) {
  check_table(L, 1);
  size_t separator_length;
  const char *separator = luaL_optlstring(L, 2, "", &separator_length);
  lua_Integer first = luaL_optinteger(L, 3, 1);
  lua_Integer last = lua_isnoneornil(L, 4) ? luaL_len(L, 1) : luaL_checkinteger(L, 4);
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  for (lua_Integer i = first; i <= last; i++) {
    clua_charge(L, 1 + separator_length / 64);
    if (lua_geti(L, 1, i) != LUA_TSTRING && !lua_isnumber(L, -1)) {
      clua_push_typename(L, -1);
      return luaL_error(L, "element %I of the table for 'concat' is a %s", (LUAI_UACINT)i, lua_tostring(L, -1));
    }
    luaL_addvalue(&text);
    if (i < last) luaL_addlstring(&text, separator, separator_length);
    if (i == LUA_MAXINTEGER) break;
  }
  luaL_pushresult(&text);
  return 1;
}

static int pack(lua_State *L) {
  int n = lua_gettop(L);
  lua_createtable(L, n, 1);
  lua_insert(L, 1);
  for (int i = n; i >= 1; i--) lua_rawseti(L, 1, i);
  lua_pushinteger(L, n);
  lua_setfield(L, 1, "n");
  return 1;
}

static int unpack(lua_State *L) {
  lua_Integer first = luaL_optinteger(L, 2, 1);
  lua_Integer last = lua_isnoneornil(L, 3) ? luaL_len(L, 1) : luaL_checkinteger(L, 3);
  if (first > last) return 0;
  lua_Unsigned more = (lua_Unsigned)last - (lua_Unsigned)first;
  if (more >= 1000000 || !lua_checkstack(L, (int)more + 1)) return luaL_error(L, "too many results to unpack");
  clua_charge(L, (size_t)more + 1);
  for (lua_Unsigned i = 0; i <= more; i++) lua_geti(L, 1, first + (lua_Integer)i);
  return (int)more + 1;
}

// Sorting: merges runs of doubling width between two plain tables.

/// Compares the two topmost values.
typedef bool (*less_function)(lua_State *L, int comparator);

static void merge(lua_State *L, int from, int to, lua_Integer low, lua_Integer middle, lua_Integer high,
                  less_function less, int comparator) {
  lua_Integer left = low, right = middle;
  for (lua_Integer out = low; out < high; out++) {
    clua_charge(L, 1);
    bool take_right = left >= middle;
    if (!take_right && right < high) {
      lua_rawgeti(L, from, right);
      lua_rawgeti(L, from, left);
      take_right = less(L, comparator);
      lua_pop(L, 2);
    }
    lua_rawgeti(L, from, take_right ? right++ : left++);
    lua_rawseti(L, to, out);
  }
}

/// Sorts the first n elements of the plain table at `index`, stably.
static void sort_elements(lua_State *L, int index, lua_Integer n, less_function less, int comparator) {
  luaL_checkstack(L, 8, NULL);
  int result = lua_absindex(L, index), from = result;
  lua_createtable(L, (int)n, 0);
  int scratch = lua_gettop(L), to = scratch;
  for (lua_Integer width = 1; width < n; width *= 2) {
    for (lua_Integer low = 1; low <= n; low += 2 * width) {
      lua_Integer middle = low + width <= n ? low + width : n + 1;
      lua_Integer high = low + 2 * width <= n ? low + 2 * width : n + 1;
      merge(L, from, to, low, middle, high, less, comparator);
    }
    int other = from;
    from = to;
    to = other;
  }
  if (from != result) {
    for (lua_Integer i = 1; i <= n; i++) {
      lua_rawgeti(L, from, i);
      lua_rawseti(L, result, i);
    }
  }
  lua_settop(L, scratch - 1);
}

static bool values_less(lua_State *L, int comparator) {
  (void)comparator;
  return lua_compare(L, -2, -1, LUA_OPLT);
}

static bool function_less(lua_State *L, int comparator) {
  lua_pushvalue(L, comparator);
  lua_pushvalue(L, -3);
  lua_pushvalue(L, -3);
  lua_call(L, 2, 1);
  bool result = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return result;
}

static int sort(lua_State *L) {
  check_table(L, 1);
  if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  lua_Integer n = luaL_len(L, 1);
  if (n < 2) return 0;
  luaL_argcheck(L, n < INT32_MAX / 4, 1, "array too big");
  lua_createtable(L, 0, 0);
  for (lua_Integer i = 1; i <= n; i++) {
    clua_charge(L, 1);
    lua_geti(L, 1, i);
    lua_rawseti(L, 3, i);
  }
  sort_elements(L, 3, n, lua_isnil(L, 2) ? values_less : function_less, 2);
  for (lua_Integer i = 1; i <= n; i++) {
    clua_charge(L, 1);
    lua_rawgeti(L, 3, i);
    lua_seti(L, 1, i);
  }
  return 0;
}

void clua_set_table_functions(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"insert", insert}, {"remove", remove_element}, {"move", move}, {"concat", concat},
    {"pack", pack},     {"unpack", unpack},         {"sort", sort}, {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
