// Lua patterns, compiled and matched with every step accounted for.
#pragma once
#include "internal.h"

enum { CLUA_MAX_CAPTURES = 32 };

typedef struct clua_pattern clua_pattern;

typedef struct clua_capture {
  const unsigned char *start;
  ptrdiff_t length;             ///< or one of:
} clua_capture;
enum { CLUA_CAPTURE_OPEN = -1, CLUA_CAPTURE_POSITION = -2 };

typedef struct clua_match {
  lua_State *L;
  const clua_pattern *pattern;
  const unsigned char *subject, *end;
  int depth, captures;
  unsigned steps;
  clua_capture capture[CLUA_MAX_CAPTURES];
} clua_match;

/// Pushes a userdata that holds the compiled pattern.
///
/// With `anchors` a leading ^ ties it to where it is tried; without (gmatch) it is an ordinary character.
clua_pattern *clua_compile_pattern(lua_State *L, const char *text, size_t length, bool anchors);
bool clua_pattern_is_anchored(const clua_pattern *pattern);
/// The end of the match that starts at `at`, or NULL.
const unsigned char *clua_match_at(clua_match *m, const unsigned char *at);
/// Pushes capture `index`; with none at all, capture 0 is the whole match.
void clua_push_capture(clua_match *m, int index, const unsigned char *start, const unsigned char *end);
/// Pushes all captures (the whole match when there are none and `start` is given); returns how many.
int clua_push_captures(clua_match *m, const unsigned char *start, const unsigned char *end);
