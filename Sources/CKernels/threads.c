// Workers spin for some microseconds for the next loop, then sleep. A worker that wakes too late finds the
// loop closed and stays out of it, so nobody waits for a sleeper.
#include "kernel.h"

#include "ck-threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { spins = 4000 };

// `members` counts the workers inside the current loop; the flag says that no more may enter.
static const unsigned closed = 1u << 31;

typedef struct {
  ck_pool *pool;
  size_t index;
  pthread_t thread;
} ck_worker;

struct ck_pool {
  size_t threads;
  ck_set_up *set_up;
  void *set_up_context;
  uint64_t number;  // of all pools ever; addresses are used again
  ck_worker *workers;
  pthread_mutex_t submit;  // one loop at a time
  pthread_mutex_t lock;    // guards sleeping and waking
  pthread_cond_t wake, left;
  _Alignas(64) atomic_uint generation;
  atomic_uint sleepers;
  atomic_bool stop;
  _Alignas(64) atomic_uint members;
  _Alignas(64) atomic_size_t next;
  size_t count;
  ck_stop *stop_request;
  ck_task *task;
  void *context;
};

static _Thread_local bool inside;
static _Thread_local uint64_t prepared_for;  // the number of a pool

static void prepare(ck_pool *pool, size_t worker) {
  if (!pool->set_up || prepared_for == pool->number) return;
  pool->set_up(pool->set_up_context, worker);
  prepared_for = pool->number;
}

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void work(ck_pool *pool, size_t worker) {
  prepare(pool, worker);
  inside = true;
  for (;;) {
    size_t i = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
    if (i >= pool->count || ck_stops(pool->stop_request)) break;
    pool->task(pool->context, i, worker);
  }
  inside = false;
}

static bool enter(ck_pool *pool) {
  unsigned members = atomic_load(&pool->members);
  while (!(members & closed)) {
    if (atomic_compare_exchange_weak(&pool->members, &members, members + 1)) return true;
  }
  return false;
}

static void leave(ck_pool *pool) {
  if (atomic_fetch_sub(&pool->members, 1) != (closed | 1)) return;
  pthread_mutex_lock(&pool->lock);
  pthread_cond_signal(&pool->left);
  pthread_mutex_unlock(&pool->lock);
}

static void await_generation(ck_pool *pool, unsigned seen) {
  for (int i = 0; i < spins; i++) {
    if (atomic_load_explicit(&pool->generation, memory_order_acquire) != seen) return;
    relax();
  }
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add(&pool->sleepers, 1);
  while (atomic_load(&pool->generation) == seen) pthread_cond_wait(&pool->wake, &pool->lock);
  atomic_fetch_sub(&pool->sleepers, 1);
  pthread_mutex_unlock(&pool->lock);
}

static void announce(ck_pool *pool) {
  atomic_fetch_add(&pool->generation, 1);
  if (atomic_load(&pool->sleepers) == 0) return;
  pthread_mutex_lock(&pool->lock);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->lock);
}

static void *worker_main(void *argument) {
  ck_worker *self = argument;
  ck_pool *pool = self->pool;
  unsigned seen = 0;
  for (;;) {
    await_generation(pool, seen);
    seen = atomic_load(&pool->generation);
    if (atomic_load(&pool->stop)) return NULL;
    if (!enter(pool)) continue;
    work(pool, self->index);
    leave(pool);
  }
}

ck_pool *ck_pool_create(size_t threads, ck_set_up *set_up, void *context) {
  static _Atomic uint64_t pools;
  ck_pool *pool = aligned_alloc(64, (sizeof(ck_pool) + 63) / 64 * 64);
  if (!pool) return NULL;
  *pool = (ck_pool){.threads = 1, .members = closed, .set_up = set_up, .set_up_context = context};
  pool->number = atomic_fetch_add(&pools, 1) + 1;
  pthread_mutex_init(&pool->submit, NULL);
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pthread_cond_init(&pool->left, NULL);
  pool->workers = calloc(threads, sizeof(ck_worker));
  while (pool->workers && pool->threads < threads) {
    ck_worker *worker = &pool->workers[pool->threads];
    *worker = (ck_worker){.pool = pool, .index = pool->threads};
    if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0) break;
    pool->threads++;
  }
  if (pool->workers && pool->threads >= threads) return pool;
  ck_pool_destroy(pool);
  return NULL;
}

void ck_pool_destroy(ck_pool *pool) {
  atomic_store(&pool->stop, true);
  announce(pool);
  for (size_t i = 1; i < pool->threads; i++) pthread_join(pool->workers[i].thread, NULL);
  pthread_cond_destroy(&pool->left);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->lock);
  pthread_mutex_destroy(&pool->submit);
  free(pool->workers);
  free(pool);
}

static void run_inline(size_t count, ck_stop *stop, ck_task *task, void *context) {
  for (size_t i = 0; i < count && !ck_stops(stop); i++) task(context, i, 0);
}

void ck_pool_run(ck_pool *pool, size_t count, ck_stop *stop, ck_task *task, void *context) {
  if (inside || count < 2 || pool->threads < 2) {
    prepare(pool, 0);
    run_inline(count, stop, task, context);
    return;
  }
  pthread_mutex_lock(&pool->submit);
  pool->stop_request = stop;
  pool->task = task;
  pool->context = context;
  pool->count = count;
  atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
  atomic_store(&pool->members, 0);
  announce(pool);
  work(pool, 0);
  atomic_fetch_or(&pool->members, closed);
  for (int i = 0; i < spins && atomic_load_explicit(&pool->members, memory_order_acquire) != closed; i++) relax();
  if (atomic_load(&pool->members) != closed) {
    pthread_mutex_lock(&pool->lock);
    while (atomic_load(&pool->members) != closed) pthread_cond_wait(&pool->left, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
  }
  pthread_mutex_unlock(&pool->submit);
}

void ck_pool_prepare(ck_pool *pool) { prepare(pool, 0); }

void ck_share(const ck_workers *workers, size_t work, size_t count, ck_task *task, void *context) {
  if (!workers->pool) {
    run_inline(count, workers->stop, task, context);
  } else if (work < workers->smallest_work) {
    prepare(workers->pool, 0);
    run_inline(count, workers->stop, task, context);
  } else {
    ck_pool_run(workers->pool, count, workers->stop, task, context);
  }
}
