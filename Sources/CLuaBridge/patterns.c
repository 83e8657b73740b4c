// A pattern is compiled to a list of items; single characters are sets of 256 bits. The matcher backtracks like any
// other, but charges its steps to the script's budget, so that no pattern runs away.
#include "patterns.h"
#include <ctype.h>
#include <string.h>

typedef enum item_kind {
  ITEM_SET,
  ITEM_OPEN,
  ITEM_OPEN_POSITION,
  ITEM_CLOSE,
  ITEM_BACK,
  ITEM_BALANCE,
  ITEM_FRONTIER,
  ITEM_END,
} item_kind;
typedef enum repeat { ONCE, OPTIONAL, GREEDY, LAZY } repeat;  // GREEDY and LAZY: any number of times

typedef struct item {
  uint8_t kind, repeat;
  uint8_t index;                ///< which capture, for CLOSE and BACK
  uint8_t open, close;          ///< for BALANCE
  uint8_t set[32];
} item;

struct clua_pattern {
  bool anchored;
  size_t count;
  item items[];
};

enum { MAX_DEPTH = 200, STEPS_PER_CHARGE = 256 };

// Compiling.

typedef struct compiler {
  lua_State *L;
  const unsigned char *at, *end;
  int captures;
  bool open[CLUA_MAX_CAPTURES];
} compiler;

static bool in_set(const uint8_t *set, unsigned char c) { return set[c >> 3] >> (c & 7) & 1; }
static void add(uint8_t *set, unsigned char c) { set[c >> 3] |= (uint8_t)(1 << (c & 7)); }
static void complement(uint8_t *set) { for (int i = 0; i < 32; i++) set[i] = (uint8_t)~set[i]; }

static bool is_in_class(int c, int class) {
  switch (class) {
    case 'a': return isalpha(c);
    case 'c': return iscntrl(c);
    case 'd': return isdigit(c);
    case 'g': return isgraph(c);
    case 'l': return islower(c);
    case 'p': return ispunct(c);
    case 's': return isspace(c);
    case 'u': return isupper(c);
    case 'w': return isalnum(c);
    case 'x': return isxdigit(c);
    default: return false;
  }
}

void clua_set_character_classes(clua_state *s) {
  for (int class = 'a'; class <= 'z'; class++)
    for (int c = 0; c < 256; c++)
      if (is_in_class(c, class)) add(s->character_classes[class - 'a'], (unsigned char)c);
}

/// What follows a %: a class such as %a, its complement %A, or the character itself.
static void add_escaped(compiler *compiler, uint8_t *set, unsigned char c) {
  int class = tolower(c);
  if (!class || !strchr("acdglpsuwx", class)) {
    add(set, c);
    return;
  }
  const uint8_t *members = clua_state_of(compiler->L)->character_classes[class - 'a'];
  uint8_t inverse = isupper(c) ? 0xFF : 0;
  for (int i = 0; i < 32; i++) set[i] |= members[i] ^ inverse;
}

static unsigned char next_escaped(compiler *c) {
  if (c->at == c->end) luaL_error(c->L, "malformed pattern (ends with '%%')");
  return *c->at++;
}

/// The inside of [...]; `at` is behind the bracket. A ] that comes first is an ordinary character.
static void compile_set(compiler *c, uint8_t *set) {
  bool inverse = c->at < c->end && *c->at == '^';
  if (inverse) c->at++;
  for (bool first = true;; first = false) {
    if (c->at == c->end) luaL_error(c->L, "malformed pattern (missing ']')");
    unsigned char low = *c->at++;
    if (low == ']' && !first) break;
    if (low == '%') {
      add_escaped(c, set, next_escaped(c));
    } else if (c->end - c->at >= 2 && c->at[0] == '-' && c->at[1] != ']') {
      for (int x = low; x <= c->at[1]; x++) add(set, (unsigned char)x);
      c->at += 2;
    } else {
      add(set, low);
    }
  }
  if (inverse) complement(set);
}

static void open_capture(compiler *c, item *out) {
  if (c->captures == CLUA_MAX_CAPTURES) luaL_error(c->L, "too many captures in the pattern");
  bool position = c->at < c->end && *c->at == ')';
  if (position) c->at++;
  out->kind = position ? ITEM_OPEN_POSITION : ITEM_OPEN;
  c->open[c->captures++] = !position;
}

static void close_capture(compiler *c, item *out) {
  int i = c->captures - 1;
  while (i >= 0 && !c->open[i]) i--;
  if (i < 0) luaL_error(c->L, "invalid pattern capture");
  c->open[i] = false;
  out->kind = ITEM_CLOSE;
  out->index = (uint8_t)i;
}

/// An escape that is not a single character: %b, %f, %1; false for the others.
static bool compile_special(compiler *c, item *out) {
  if (c->at == c->end) return false;
  unsigned char kind = *c->at;
  if (kind == 'b') {
    if (c->end - c->at < 3) luaL_error(c->L, "malformed pattern (missing arguments to '%%b')");
    *out = (item){.kind = ITEM_BALANCE, .open = c->at[1], .close = c->at[2]};
    c->at += 3;
  } else if (kind == 'f') {
    if (c->end - c->at < 2 || c->at[1] != '[') luaL_error(c->L, "missing '[' after '%%f' in pattern");
    c->at += 2;
    out->kind = ITEM_FRONTIER;
    compile_set(c, out->set);
  } else if (isdigit(kind)) {
    int i = kind - '1';
    if (i < 0 || i >= c->captures || c->open[i]) luaL_error(c->L, "invalid capture index %%%d in pattern", i + 1);
    *out = (item){.kind = ITEM_BACK, .index = (uint8_t)i};
    c->at++;
  } else {
    return false;
  }
  return true;
}

static void compile_repeat(compiler *c, item *out) {
  if (c->at == c->end) return;
  switch (*c->at) {
    case '?': out->repeat = OPTIONAL; break;
    case '-': out->repeat = LAZY; break;
    case '*':
    case '+': out->repeat = GREEDY; break;
    default: return;
  }
  c->at++;
}

clua_pattern *clua_compile_pattern(lua_State *L, const char *text, size_t length, bool anchors) {
  luaL_checkstack(L, 4, NULL);
  // a+ becomes two items, hence the factor.
  if (length > INT32_MAX / (2 * sizeof(item))) luaL_error(L, "pattern too long");
  clua_charge(L, length);
  clua_pattern *p = lua_newuserdatauv(L, sizeof *p + 2 * length * sizeof(item), 0);
  compiler c = {.L = L, .at = (const unsigned char *)text, .end = (const unsigned char *)text + length};
  p->count = 0;
  p->anchored = anchors && length > 0 && *c.at == '^';
  if (p->anchored) c.at++;
  while (c.at < c.end) {
    item *out = &p->items[p->count++];
    memset(out, 0, sizeof *out);
    unsigned char ch = *c.at++;
    if (ch == '(') {
      open_capture(&c, out);
      continue;
    }
    if (ch == ')') {
      close_capture(&c, out);
      continue;
    }
    if (ch == '$' && c.at == c.end) {
      out->kind = ITEM_END;
      continue;
    }
    if (ch == '%' && compile_special(&c, out)) continue;
    if (ch == '%') add_escaped(&c, out->set, next_escaped(&c));
    else if (ch == '[') compile_set(&c, out->set);
    else if (ch == '.') memset(out->set, 0xFF, sizeof out->set);
    else add(out->set, ch);
    if (c.at < c.end && *c.at == '+') {
      p->items[p->count] = *out;
      out = &p->items[p->count++];
    }
    compile_repeat(&c, out);
  }
  for (int i = 0; i < c.captures; i++)
    if (c.open[i]) luaL_error(L, "unfinished capture");
  return p;
}

bool clua_pattern_is_anchored(const clua_pattern *pattern) { return pattern->anchored; }

// Matching.

static void step(clua_match *m, size_t units) {
  m->steps += (unsigned)units;
  if (m->steps < STEPS_PER_CHARGE) return;
  clua_charge(m->L, m->steps);
  m->steps = 0;
}

static const unsigned char *match_items(clua_match *m, size_t i, const unsigned char *at);

static const unsigned char *match_greedy(clua_match *m, size_t i, const unsigned char *at) {
  const item *it = &m->pattern->items[i];
  const unsigned char *furthest = at;
  while (furthest < m->end && in_set(it->set, *furthest)) {
    furthest++;
    step(m, 1);
  }
  if (i + 1 == m->pattern->count) return furthest;
  for (;; furthest--) {
    const unsigned char *end = match_items(m, i + 1, furthest);
    if (end || furthest == at) return end;
  }
}

static const unsigned char *match_lazy(clua_match *m, size_t i, const unsigned char *at) {
  const item *it = &m->pattern->items[i];
  for (;; at++) {
    const unsigned char *end = match_items(m, i + 1, at);
    if (end) return end;
    if (at == m->end || !in_set(it->set, *at)) return NULL;
  }
}

static const unsigned char *match_balanced(clua_match *m, const item *it, const unsigned char *at) {
  if (at == m->end || *at != it->open) return NULL;
  size_t depth = 1;
  for (at++; at < m->end; at++) {
    step(m, 1);
    if (*at == it->close) {
      if (--depth == 0) return at + 1;
    } else if (*at == it->open) {
      depth++;
    }
  }
  return NULL;
}

static bool at_frontier(clua_match *m, const item *it, const unsigned char *at) {
  unsigned char before = at == m->subject ? 0 : at[-1], here = at == m->end ? 0 : *at;
  return !in_set(it->set, before) && in_set(it->set, here);
}

static const unsigned char *match_back(clua_match *m, const item *it, const unsigned char *at) {
  clua_capture *capture = &m->capture[it->index];
  if (capture->length < 0) luaL_error(m->L, "invalid capture index %%%d", it->index + 1);
  size_t length = (size_t)capture->length;
  step(m, 1 + length / 16);
  bool same = (size_t)(m->end - at) >= length && memcmp(at, capture->start, length) == 0;
  return same ? at + length : NULL;
}

/// Matches the rest with a capture opened or closed, and undoes it when that fails.
static const unsigned char *match_capture(clua_match *m, size_t i, const unsigned char *at) {
  const item *it = &m->pattern->items[i];
  if (it->kind == ITEM_CLOSE) {
    clua_capture *capture = &m->capture[it->index];
    capture->length = at - capture->start;
    const unsigned char *end = match_items(m, i + 1, at);
    if (!end) capture->length = CLUA_CAPTURE_OPEN;
    return end;
  }
  ptrdiff_t length = it->kind == ITEM_OPEN ? CLUA_CAPTURE_OPEN : CLUA_CAPTURE_POSITION;
  m->capture[m->captures++] = (clua_capture){at, length};
  const unsigned char *end = match_items(m, i + 1, at);
  if (!end) m->captures--;
  return end;
}

static const unsigned char *match_rest(clua_match *m, size_t i, const unsigned char *at) {
  for (; i < m->pattern->count; i++) {
    const item *it = &m->pattern->items[i];
    step(m, 1);
    switch (it->kind) {
      case ITEM_SET:
        if (it->repeat == GREEDY) return match_greedy(m, i, at);
        if (it->repeat == LAZY) return match_lazy(m, i, at);
        if (at < m->end && in_set(it->set, *at)) {
          if (it->repeat == OPTIONAL) {
            const unsigned char *end = match_items(m, i + 1, at + 1);
            if (end) return end;
          } else {
            at++;
          }
        } else if (it->repeat == ONCE) {
          return NULL;
        }
        break;
      case ITEM_END:
        if (at != m->end) return NULL;
        break;
      case ITEM_FRONTIER:
        if (!at_frontier(m, it, at)) return NULL;
        break;
      case ITEM_BALANCE:
        if (!(at = match_balanced(m, it, at))) return NULL;
        break;
      case ITEM_BACK:
        if (!(at = match_back(m, it, at))) return NULL;
        break;
      default: return match_capture(m, i, at);
    }
  }
  return at;
}

static const unsigned char *match_items(clua_match *m, size_t i, const unsigned char *at) {
  if (++m->depth > MAX_DEPTH) luaL_error(m->L, "pattern too complex");
  const unsigned char *end = match_rest(m, i, at);
  m->depth--;
  return end;
}

const unsigned char *clua_match_at(clua_match *m, const unsigned char *at) {
  m->depth = m->captures = 0;
  step(m, 1);
  return match_items(m, 0, at);
}

void clua_push_capture(clua_match *m, int index, const unsigned char *start, const unsigned char *end) {
  if (index >= m->captures) {
    if (index != 0) luaL_error(m->L, "invalid capture index %%%d", index + 1);
    lua_pushlstring(m->L, (const char *)start, (size_t)(end - start));
    return;
  }
  clua_capture *capture = &m->capture[index];
  if (capture->length == CLUA_CAPTURE_POSITION) lua_pushinteger(m->L, capture->start - m->subject + 1);
  else lua_pushlstring(m->L, (const char *)capture->start, (size_t)capture->length);
}

int clua_push_captures(clua_match *m, const unsigned char *start, const unsigned char *end) {
  int count = m->captures == 0 && start ? 1 : m->captures;
  luaL_checkstack(m->L, count + 1, "too many captures");
  for (int i = 0; i < count; i++) clua_push_capture(m, i, start, end);
  return count;
}
