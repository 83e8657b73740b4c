// A pool of threads that share out the iterations of a loop.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ck_pool ck_pool;

// `worker` is 0 for the calling thread and 1..threads-1 for the others: an index for scratch memory.
typedef void ck_task(void *context, size_t index, size_t worker);

// What a thread needs before it works for the pool, the state of a unit of its own for instance (AMX tiles).
typedef void ck_set_up(void *context, size_t worker);

// A request to stop: a byte that some other thread sets to anything but zero. NULL where nobody can stop the work.
typedef const uint8_t ck_stop;
static inline bool ck_stops(ck_stop *stop) { return stop && __atomic_load_n(stop, __ATOMIC_RELAXED) != 0; }

// NULL when the machine refuses a thread. threads counts the calling one. Each thread calls set_up, unless that is NULL,
// before its first work for the pool, and again when it has worked for another pool that has one meanwhile.
ck_pool *ck_pool_create(size_t threads, ck_set_up *set_up, void *context);
void ck_pool_destroy(ck_pool *pool);

// Runs task for every index below count, each once, in no stated order, and returns when all are done. Once stopping is
// requested the indices that are left are skipped. A call from inside a task runs its loop inline, as worker 0.
void ck_pool_run(ck_pool *pool, size_t count, ck_stop *stop, ck_task *task, void *context);

// Sets the calling thread up, for work that it does for the pool without ck_pool_run.
void ck_pool_prepare(ck_pool *pool);

// Who works for a step, and when they stop.
typedef struct {
  ck_pool *pool;         // NULL: the calling thread alone
  size_t threads;        // the calling one included
  size_t smallest_work;  // operations below which a loop stays on the calling thread
  ck_stop *stop;
} ck_workers;

// The same loop for a pool or for the calling thread alone. `work` is a measure of the whole loop, in multiply-adds or
// the like: below the workers' smallest it is not shared out.
void ck_share(const ck_workers *workers, size_t work, size_t count, ck_task *task, void *context);

// Counts the operations of nested loops, and asks whether to stop once there were enough to be worth it: a piece of a
// huge product may take seconds.
typedef struct {
  ck_stop *stop;
  size_t done;
} ck_pace;
static inline bool ck_pace_stops(ck_pace *pace, size_t operations) {
  pace->done += operations;
  if (pace->done < (size_t)1 << 20) return false;
  pace->done = 0;
  return ck_stops(pace->stop);
}
