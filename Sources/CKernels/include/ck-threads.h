// A pool of threads that share out the iterations of a loop.
#pragma once
#include <stddef.h>

typedef struct ck_pool ck_pool;

// `worker` is 0 for the calling thread and 1..threads-1 for the others: an index for scratch memory.
typedef void ck_task(void *context, size_t index, size_t worker);

// What a thread needs before it works for the pool, the state of a unit of its own for instance (AMX tiles).
typedef void ck_set_up(void *context, size_t worker);

// NULL when the machine refuses a thread. threads counts the calling one. Each thread calls set_up, unless that is NULL,
// before its first work for the pool, and again when it has worked for another pool that has one meanwhile.
ck_pool *ck_pool_create(size_t threads, ck_set_up *set_up, void *context);
void ck_pool_destroy(ck_pool *pool);

// Runs task for every index below count, each once, in no stated order, and returns when all are done.
// A call from inside a task runs its loop inline, as worker 0.
void ck_pool_run(ck_pool *pool, size_t count, ck_task *task, void *context);

// Sets the calling thread up, for work that it does for the pool without ck_pool_run.
void ck_pool_prepare(ck_pool *pool);
