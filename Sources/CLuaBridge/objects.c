// Host functions and host objects: userdata that own a Swift object.
#include "internal.h"

typedef struct clua_object {
  void *box;
  uint64_t serial;
} clua_object;

// Registry keys: their addresses.
static const char function_class, object_mark, known_objects;

static void release(lua_State *L, void **box) {
  clua_state *s = clua_state_of(L);
  void *owned = *box;
  if (!owned) return;
  *box = NULL;
  bool was = clua_enter(s, true);
  s->callbacks.release(owned);
  clua_enter(s, was);
}

static int object_gc(lua_State *L) {
  if (lua_type(L, 1) != LUA_TUSERDATA || lua_rawlen(L, 1) != sizeof(clua_object)) return 0;
  clua_object *object = lua_touserdata(L, 1);
  release(L, &object->box);
  return 0;
}

/// What a host call counts for. Not only for its time: nested calls set the hook anew, and a loop of them would never
/// get to its next run.
enum { HOST_CALL_UNITS = 10 };

static int trampoline(lua_State *L) {
  clua_state *s = clua_state_of(L);
  clua_object *function = lua_touserdata(L, lua_upvalueindex(1));
  if (s->meter.stop) return clua_raise_stop(L, s->meter.stop);  // called by an error handler, say
  size_t owed_around = s->owed;
  s->owed = 0;
  clua_enter(s, true);
  int results = s->callbacks.call(s->callbacks.context, L, function->box);
  clua_enter(s, false);  // every Swift frame is gone: from here on errors may be raised
  if (s->meter.stop) return clua_raise_stop(L, s->meter.stop);
  clua_hear_stop(L);  // what a function that was told to stop throws is not why it ended
  if (results == CLUA_FATAL) return clua_raise_stop(L, CLUA_STOP_HOST);
  size_t owed = s->owed;
  s->owed = owed_around;
  clua_charge(L, owed > SIZE_MAX - HOST_CALL_UNITS ? SIZE_MAX : owed + HOST_CALL_UNITS);
  return results == CLUA_ERROR ? lua_error(L) : results;
}

void clua_push_function(lua_State *L, void *box) {
  clua_object *function = lua_newuserdatauv(L, sizeof *function, 0);
  *function = (clua_object){.box = box};
  lua_rawgetp(L, LUA_REGISTRYINDEX, &function_class);
  lua_setmetatable(L, -2);
  lua_pushcclosure(L, trampoline, 1);
}

// __index of a class. Upvalues: methods, getters, what to call for the rest.
static int class_index(lua_State *L) {
  lua_settop(L, 2);
  if (!clua_to_object(L, 1)) return luaL_error(L, "not an object");
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL) {
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
  }
  lua_pushvalue(L, lua_upvalueindex(3));
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_call(L, 2, 1);
  return 1;
}

static int class_newindex(lua_State *L) {
  size_t length;
  const char *key = clua_tolstring(L, 2, &length);
  clua_push_typename(L, 1);
  return luaL_error(L, "'%s' of a %s cannot be assigned", key, lua_tostring(L, -1));
}

void clua_push_class(lua_State *L, const char *name) {
  lua_pushcclosure(L, class_index, 3);
  lua_createtable(L, 0, 8);
  lua_insert(L, -2);
  clua_raw_set_field(L, -2, "__index");
  lua_pushcfunction(L, class_newindex);
  clua_raw_set_field(L, -2, "__newindex");
  lua_pushcfunction(L, object_gc);
  clua_raw_set_field(L, -2, "__gc");
  lua_pushboolean(L, 0);
  clua_raw_set_field(L, -2, "__metatable");
  lua_pushstring(L, name);
  clua_raw_set_field(L, -2, "__name");
  lua_pushboolean(L, 1);
  lua_rawsetp(L, -2, &object_mark);
}

bool clua_push_known_object(lua_State *L, const void *identity) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &known_objects);
  bool known = lua_rawgetp(L, -1, identity) == LUA_TUSERDATA;
  lua_remove(L, -2);
  if (!known) lua_pop(L, 1);
  return known;
}

void clua_push_object(lua_State *L, void *box, const void *identity) {
  clua_object *object = lua_newuserdatauv(L, sizeof *object, 0);
  *object = (clua_object){.box = box, .serial = ++clua_state_of(L)->objects};
  lua_insert(L, -2);
  lua_setmetatable(L, -2);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &known_objects);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, -2, identity);
  lua_pop(L, 1);
}

void clua_forget_object(lua_State *L, const void *identity) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &known_objects);
  lua_pushnil(L);
  lua_rawsetp(L, -2, identity);
  lua_pop(L, 1);
}

static clua_object *object_at(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA) return NULL;
  clua_object *object = lua_touserdata(L, index);
  if (!lua_getmetatable(L, index)) return NULL;
  bool ours = lua_rawgetp(L, -1, &object_mark) != LUA_TNIL;
  lua_pop(L, 2);
  return ours ? object : NULL;
}

void *clua_to_object(lua_State *L, int index) {
  clua_object *object = object_at(L, index);
  return object ? object->box : NULL;
}

uint64_t clua_object_serial(lua_State *L, int index) {
  clua_object *object = object_at(L, index);
  return object ? object->serial : 0;
}

void clua_open_objects(lua_State *L) {
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, object_gc);
  lua_setfield(L, -2, "__gc");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &function_class);
  // Weak values: an entry goes before its userdata is finalized.
  lua_createtable(L, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &known_objects);
}
