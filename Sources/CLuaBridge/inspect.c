// Where Lua is, and what its functions are made of.
#include "internal.h"
#include <stdlib.h>
#include <string.h>

static const char *plain_source(const char *source) {
  return *source == '@' || *source == '=' ? source + 1 : source;
}

bool clua_where(lua_State *L, char *source, size_t size, int *line) {
  lua_Debug activation;
  source[0] = 0;
  *line = 0;
  for (int level = 0; lua_getstack(L, level, &activation); level++) {
    lua_getinfo(L, "Sl", &activation);
    if (activation.currentline <= 0) continue;
    const char *name = plain_source(activation.source);
    size_t length = strlen(name);
    if (length >= size) length = size - 1;
    memcpy(source, name, length);
    source[length] = 0;
    *line = activation.currentline;
    return true;
  }
  return false;
}

clua_function_info clua_inspect(lua_State *L, int index) {
  lua_Debug about;
  if (lua_type(L, index) != LUA_TFUNCTION) return (clua_function_info){.source = ""};
  lua_pushvalue(L, index);
  lua_getinfo(L, ">Su", &about);
  return (clua_function_info){
    .is_lua = *about.what != 'C',
    .first_line = about.linedefined,
    .last_line = about.lastlinedefined,
    .upvalues = about.nups,
    .source = plain_source(about.source),
  };
}

typedef struct dump_buffer {
  uint8_t *bytes;
  size_t length, capacity;
} dump_buffer;

static int append(lua_State *L, const void *data, size_t size, void *context) {
  (void)L;
  dump_buffer *b = context;
  if (b->capacity - b->length < size) {
    size_t capacity = (b->length + size) * 2;
    uint8_t *bytes = realloc(b->bytes, capacity);
    if (!bytes) return 1;
    b->bytes = bytes;
    b->capacity = capacity;
  }
  memcpy(b->bytes + b->length, data, size);
  b->length += size;
  return 0;
}

uint8_t *clua_dump(lua_State *L, int index, size_t *length) {
  dump_buffer buffer = {0};
  lua_pushvalue(L, index);
  int failed = lua_dump(L, append, &buffer, 1);
  lua_pop(L, 1);
  if (failed) {
    free(buffer.bytes);
    return NULL;
  }
  *length = buffer.length;
  return buffer.bytes;
}

void clua_free(uint8_t *bytes) { free(bytes); }

void clua_push_caller_environment(lua_State *L) {
  lua_Debug activation;
  for (int level = 0; lua_getstack(L, level, &activation); level++) {
    lua_getinfo(L, "Sf", &activation);
    if (*activation.what != 'C') {
      const char *name;
      for (int i = 1; (name = lua_getupvalue(L, -1, i)); i++) {
        if (strcmp(name, "_ENV") == 0) {
          lua_remove(L, -2);
          return;
        }
        lua_pop(L, 1);
      }
    }
    lua_pop(L, 1);
  }
  lua_pushnil(L);
}
