// A thread that watches what a call into Lua takes of time and memory, whatever it is doing.
//
// Lua's count hook sees instructions only; one call into a C library function or a host function may take for ever
// without any, and what host functions allocate is not in Lua's heap. The thread looks many times in the time allowed
// and sleeps for good while no call is under way.
#define _GNU_SOURCE  // clock_gettime, pread
#include "internal.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/// Seconds between two looks, at most.
#define LONGEST_TICK 0.025

double clua_now(void) {
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

/// Names of scripts are whatever somebody called a file: control characters and what is not ASCII are written as \xNN.
static void append_escaped(char *text, size_t size, const char *name) {
  size_t at = strlen(text);
  for (; *name && at + 5 < size; name++) {
    unsigned char c = (unsigned char)*name;
    if (c >= 0x20 && c < 0x7F) text[at++] = (char)c;
    else at += (size_t)snprintf(text + at, size - at, "\\x%02X", c);
  }
  text[at] = 0;
}

static void end_process(const clua_watchdog *w) {
  char text[2800] = "compress: ";
  append_escaped(text, sizeof text - 200, w->what);
  size_t length = strlen(text);
  int n = w->verdict == CLUA_STOP_GROWTH
            ? snprintf(text + length, 200, ": the process grew by more than %zu bytes and does not stop; ended\n",
                       w->watch.growth)
            : snprintf(text + length, 200, ": took more than %g s of the script's own time and does not stop; ended\n",
                       w->watch.seconds);
  if (n > 0 && write(STDERR_FILENO, text, length + (size_t)n) < 0) _exit(4);
  _exit(4);
}

/// Bytes of anonymous memory the process has in use, or -1. Mapped files are not among them.
static int64_t resident_bytes(const clua_watchdog *w) {
  char text[128];
  ssize_t n = pread(w->statistics, text, sizeof text - 1, 0);
  if (n <= 0) return -1;
  text[n] = 0;
  unsigned long long resident, shared;
  if (sscanf(text, "%*u %llu %llu", &resident, &shared) != 2 || shared > resident) return -1;
  return (int64_t)((resident - shared) * w->page);
}

/// One look: adds what has passed since the one before, and judges.
static void look(clua_watchdog *w, bool was_running, double slept, double tick) {
  bool running = atomic_load(&w->running);
  if (w->statistics >= 0) {
    int64_t now = running ? resident_bytes(w) : -1;
    if (running && was_running && w->resident >= 0 && now >= 0) w->grown += now - w->resident;
    w->resident = now;
  }
  if (running) w->spent += slept < 2 * tick ? slept : 2 * tick;  // a process that was suspended did not run
  if (running && w->watch.patience > 0 && w->spent - w->told >= w->watch.patience) {
    w->told = w->spent;
    atomic_store(&w->lasting, (int)(w->spent * 1e3));
  }
  if (atomic_load(&w->verdict) != CLUA_STOP_NONE) return;
  bool late = w->watch.seconds > 0 && w->spent >= w->watch.seconds;
  bool large = w->watch.growth > 0 && w->grown > 0 && (uint64_t)w->grown > w->watch.growth;
  if (!late && !large) return;
  if (large) w->spent = w->watch.seconds;  // the grace counts from now
  atomic_store(&w->verdict, late ? CLUA_STOP_TIME : CLUA_STOP_GROWTH);
  if (w->watch.overdue) w->watch.overdue(w->watch.context);
}

static void *watch_calls(void *argument) {
  clua_watchdog *w = argument;
  double seconds = w->watch.seconds, tick = seconds > 0 && seconds / 8 < LONGEST_TICK ? seconds / 8 : LONGEST_TICK;
  double grace = seconds / 4 > 1 ? seconds / 4 : 1;
  bool was_running = false;
  pthread_mutex_lock(&w->mutex);
  while (!w->quit) {
    if (!w->armed) {
      w->waiting = true;
      pthread_cond_wait(&w->changed, &w->mutex);
      w->waiting = was_running = false;
      continue;
    }
    double before = clua_now();
    sleep_for(w, tick);
    if (!w->armed || w->quit) continue;
    look(w, was_running, clua_now() - before, tick);
    was_running = atomic_load(&w->running);
    if (atomic_load(&w->verdict) == CLUA_STOP_NONE || w->spent < seconds + grace || w->fired) continue;
    w->fired = true;
    if (!w->watch.stuck) end_process(w);
    w->watch.stuck(w->watch.context, w->what);
  }
  pthread_mutex_unlock(&w->mutex);
  return NULL;
}

void clua_start_watchdog(lua_State *L, clua_watch watch) {
  clua_watchdog *w = &clua_state_of(L)->watchdog;
  if (w->started || !(watch.seconds > 0 || watch.growth > 0)) return;
  w->watch = watch;
  w->page = (size_t)sysconf(_SC_PAGESIZE);
  w->statistics = watch.growth > 0 ? open("/proc/self/statm", O_RDONLY | O_CLOEXEC) : -1;
  w->resident = -1;
  pthread_mutex_init(&w->mutex, NULL);
  pthread_cond_init(&w->changed, NULL);
  w->started = pthread_create(&w->thread, NULL, watch_calls, w) == 0;
}

bool clua_set_engine_works(lua_State *L, bool works) {
  return !atomic_exchange(&clua_state_of(L)->watchdog.running, !works);
}

void clua_watchdog_begin(clua_state *s, const char *what) {
  clua_watchdog *w = &s->watchdog;
  atomic_store(&w->verdict, CLUA_STOP_NONE);
  atomic_store(&w->running, true);
  if (!w->started) return;
  pthread_mutex_lock(&w->mutex);
  w->armed = true;
  w->fired = false;
  w->spent = w->told = 0;
  atomic_store(&w->lasting, 0);
  w->grown = 0;
  w->resident = -1;
  atomic_store(&w->verdict, CLUA_STOP_NONE);  // the thread may have judged the call before until it had the lock
  snprintf(w->what, sizeof w->what, "%s", what);
  if (w->waiting) pthread_cond_signal(&w->changed);
  pthread_mutex_unlock(&w->mutex);
}

void clua_watchdog_end(clua_state *s) {
  clua_watchdog *w = &s->watchdog;
  if (!w->started) return;
  pthread_mutex_lock(&w->mutex);
  w->armed = false;
  pthread_mutex_unlock(&w->mutex);
}

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
  if (w->statistics >= 0) close(w->statistics);
  w->started = false;
}
