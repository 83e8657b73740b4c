// A thread that watches how long Lua has been on top without returning to the host.
//
// Lua's count hook sees instructions only; one call into a C library function may take for ever without any.
// The thread looks eight times in the time allowed and sleeps for good while no call is under way; Lua and the
// host tell it nothing but the turn counter.
#define _GNU_SOURCE  // clock_gettime
#include "internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void sleep_for(clua_watchdog *w, double seconds) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  double nanoseconds = (double)t.tv_nsec + (seconds - (double)(long)seconds) * 1e9;
  t.tv_sec += (long)seconds + (long)(nanoseconds / 1e9);
  t.tv_nsec = (long)nanoseconds % 1000000000L;
  pthread_cond_timedwait(&w->changed, &w->mutex, &t);
}

static void end_process(const char *what, double seconds) {
  char text[800];
  int n = snprintf(text, sizeof text, "compress: %s: spent more than %g s inside Lua without returning; ended\n", what,
                   seconds);
  if (n > 0 && write(STDERR_FILENO, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1) < 0) _exit(4);
  _exit(4);
}

static void *watch(void *argument) {
  clua_watchdog *w = argument;
  double tick = w->seconds / 8, grace = w->seconds / 4 > 1 ? w->seconds / 4 : 1, spent = 0;
  uint64_t seen = 0;
  bool fired = false;
  pthread_mutex_lock(&w->mutex);
  while (!w->quit) {
    if (!w->armed) {
      w->waiting = true;
      pthread_cond_wait(&w->changed, &w->mutex);
      w->waiting = false;
      continue;
    }
    double before = now();
    sleep_for(w, tick);
    double slept = now() - before;
    uint64_t turn = atomic_load(&w->turn);
    if (turn != seen || !(turn & 1) || !w->armed) {
      seen = turn;
      spent = 0;
      fired = false;
      continue;
    }
    spent += slept < 2 * tick ? slept : 2 * tick;  // a process that was suspended did not run
    if (spent >= w->seconds) atomic_store(&w->overdue, turn);
    if (spent >= w->seconds + grace && !fired) {
      fired = true;
      if (!w->fire) end_process(w->what, w->seconds);
      w->fire(w->context, w->what);
    }
  }
  pthread_mutex_unlock(&w->mutex);
  return NULL;
}

void clua_watch(lua_State *L, double seconds, void (*fire)(void *context, const char *what), void *context) {
  clua_watchdog *w = &clua_state_of(L)->watchdog;
  if (w->started || !(seconds > 0)) return;
  w->seconds = seconds;
  w->fire = fire;
  w->context = context;
  pthread_mutex_init(&w->mutex, NULL);
  pthread_cond_init(&w->changed, NULL);
  w->started = pthread_create(&w->thread, NULL, watch, w) == 0;
}

static void set_armed(clua_watchdog *w, bool armed, const char *what) {
  if (!w->started) return;
  pthread_mutex_lock(&w->mutex);
  w->armed = armed;
  snprintf(w->what, sizeof w->what, "%s", what);
  if (armed && w->waiting) pthread_cond_signal(&w->changed);
  pthread_mutex_unlock(&w->mutex);
}

void clua_watchdog_begin(clua_state *s, const char *what) { set_armed(&s->watchdog, true, what); }
void clua_watchdog_end(clua_state *s) { set_armed(&s->watchdog, false, ""); }

void clua_watchdog_close(clua_state *s) {
  clua_watchdog *w = &s->watchdog;
  if (!w->started) return;
  pthread_mutex_lock(&w->mutex);
  w->quit = true;
  pthread_cond_signal(&w->changed);
  pthread_mutex_unlock(&w->mutex);
  pthread_join(w->thread, NULL);
  pthread_mutex_destroy(&w->mutex);
  pthread_cond_destroy(&w->changed);
  w->started = false;
}
