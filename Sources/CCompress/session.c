#include "program.h"

#include <stdlib.h>

enum { most_threads = 1024, most_samples = 1 << 16 };
// Multiply-adds below which a loop is not worth another thread's hearing of it.
static const size_t smallest_work = (size_t)1 << 18;

static const ck_workers alone = {NULL, 1, SIZE_MAX, NULL};

struct compress_session {
  compress_model *model;
  ck_pool *pool;  // NULL: the calling thread alone
  ck_workers workers;
  size_t most_samples;
  cx_program program;
  // Where the samples of a batch are computed side by side, one program for each thread.
  cx_program *lanes;
  void **places;
  atomic_flag is_running;
};

// Whether so many samples are computed side by side, each by one thread: where what lies between the layers would leave
// the caches and is more than the weights, which are then read for each sample, and no thread is left without work for
// long.
static bool run_apart(const compress_model *model, size_t samples, size_t threads) {
  if (samples < 2 || model->head->inputs != 1 || model->head->outputs != 1 ||
      (samples % threads != 0 && samples < 4 * threads)) {
    return false;
  }
  uint64_t largest = 0, all = 0, weights = 0;
  for (size_t i = 0; i < model->plan->steps; i++) {
    const cx_bound *step = &model->steps[i];
    weights += step->record->constant_bytes;
    for (size_t k = 0; !step->is_constant && k < step->record->outputs; k++) {
      const uint64_t bytes = model->value_bytes[step->outputs[k]];
      largest = bytes > largest ? bytes : largest;
      all += bytes;
    }
  }
  return largest * samples / 4 > model->plan->second_level_bytes && weights < all;
}

static compress_status check_size(const compress_model *model, size_t threads, size_t samples, compress_error *error) {
  if (threads < 1 || threads > most_threads) {
    return cx_fail(error, COMPRESS_ARGUMENT, "%zu threads; there may be 1 to %d", threads, most_threads);
  }
  if (samples < 1 || samples > most_samples) {
    return cx_fail(error, COMPRESS_ARGUMENT, "%zu samples at once; there may be 1 to %d", samples, most_samples);
  }
  for (size_t i = 0; i < model->plan->values; i++) {
    if (model->value_bytes[i] > CK_MOST_SIZE / samples) {
      return cx_fail(error, COMPRESS_ARGUMENT, "%.300s: %zu samples at once of %llu bytes are too many", model->name,
                     samples, (unsigned long long)model->value_bytes[i]);
    }
  }
  return COMPRESS_OK;
}

size_t compress_session_bytes(const compress_model *model, size_t threads, size_t samples) {
  if (check_size(model, threads, samples, NULL) != COMPRESS_OK) return SIZE_MAX;
  cx_layout whole, one = {0};
  if (!cx_layout_of(model, samples, threads, &whole)) return SIZE_MAX;
  const bool is_apart = run_apart(model, samples, threads);
  size_t bytes = whole.bytes, lanes = 0;
  if (is_apart && !cx_layout_of(model, 1, 1, &one)) bytes = SIZE_MAX;
  if (__builtin_mul_overflow(one.bytes, threads, &lanes) || __builtin_add_overflow(bytes, lanes, &bytes)) bytes = SIZE_MAX;
  cx_layout_free(&whole);
  cx_layout_free(&one);
  return bytes;
}

static compress_status make(compress_session *session, size_t threads, compress_error *error) {
  compress_model *model = session->model;
  const size_t samples = session->most_samples;
  session->workers = alone;
  if (threads > 1) {
    session->pool = ck_pool_create(threads, NULL, NULL);
    if (!session->pool) return cx_fail(error, COMPRESS_SYSTEM, "could not start %zu threads", threads);
    session->workers = (ck_workers){session->pool, threads, smallest_work, NULL};
  }
  session->places = calloc((size_t)model->head->inputs + model->head->outputs, sizeof *session->places);
  bool fits = session->places && cx_program_make(model, samples, &session->workers, &session->program);
  if (fits && run_apart(model, samples, threads)) {
    session->lanes = calloc(threads, sizeof *session->lanes);
    fits = session->lanes;
    for (size_t i = 0; fits && i < threads; i++) fits = cx_program_make(model, 1, &alone, &session->lanes[i]);
  }
  if (fits) return COMPRESS_OK;
  return cx_fail(error, COMPRESS_SYSTEM, "%.300s: no memory for a session of %zu bytes", model->name,
                 compress_session_bytes(model, threads, samples));
}

compress_session *compress_session_create(compress_model *model, size_t threads, size_t samples, compress_error *error) {
  if (!model) {
    cx_fail(error, COMPRESS_ARGUMENT, "no model");
    return NULL;
  }
  if (check_size(model, threads, samples, error) != COMPRESS_OK) return NULL;
  compress_session *session = calloc(1, sizeof *session);
  if (!session) {
    cx_fail(error, COMPRESS_SYSTEM, "no memory");
    return NULL;
  }
  atomic_fetch_add_explicit(&model->references, 1, memory_order_relaxed);
  session->model = model;
  session->most_samples = samples;
  atomic_flag_clear(&session->is_running);
  if (make(session, threads, error) != COMPRESS_OK) {
    compress_session_close(session);
    return NULL;
  }
  if (error) *error = (compress_error){.status = COMPRESS_OK};
  return session;
}

void compress_session_close(compress_session *session) {
  if (!session) return;
  for (size_t i = 0; session->lanes && i < session->workers.threads; i++) cx_program_free(&session->lanes[i]);
  free(session->lanes);
  cx_program_free(&session->program);
  if (session->pool) ck_pool_destroy(session->pool);
  free(session->places);
  cx_release(session->model);
  free(session);
}

// One sample of a batch by one thread.
static void lane(void *context, size_t sample, size_t worker) {
  compress_session *session = context;
  const compress_value *values = session->model->values;
  void *places[] = {(float *)session->places[0] + sample * values[0].count,
                    (float *)session->places[1] + sample * values[1].count};
  cx_program_run(&session->lanes[worker], places, 1, &alone);
}

// Times each step where there is room for the times.
static compress_status run(compress_session *session, const float *const *inputs, float *const *outputs, size_t samples,
                           uint64_t *nanoseconds, compress_error *error) {
  if (!session || !inputs || !outputs) return cx_fail(error, COMPRESS_ARGUMENT, "no session, inputs or outputs");
  const compress_model *model = session->model;
  if (samples < 1 || samples > session->most_samples) {
    return cx_fail(error, COMPRESS_ARGUMENT, "%.300s: %zu samples for a session of 1 to %zu", model->name, samples,
                   session->most_samples);
  }
  const size_t ports = (size_t)model->head->inputs + model->head->outputs;
  for (size_t i = 0; i < ports; i++) {
    const bool is_input = i < model->head->inputs;
    const float *memory = is_input ? inputs[i] : outputs[i - model->head->inputs];
    if (!memory || (uintptr_t)memory % sizeof(float) != 0) {
      return cx_fail(error, COMPRESS_ARGUMENT, "%.300s: %s \"%.100s\" has %s", model->name, is_input ? "input" : "output",
                     model->values[i].name, memory ? "an address that is no float's" : "no memory");
    }
  }
  if (atomic_flag_test_and_set_explicit(&session->is_running, memory_order_acquire)) {
    return cx_fail(error, COMPRESS_BUSY, "%.300s: the session runs another call", model->name);
  }
  for (size_t i = 0; i < ports; i++) {
    session->places[i] = i < model->head->inputs ? (void *)(uintptr_t)inputs[i] : outputs[i - model->head->inputs];
  }
  if (nanoseconds) {
    cx_program_time(&session->program, model, session->places, samples, &session->workers, nanoseconds);
  } else if (session->lanes && run_apart(model, samples, session->workers.threads)) {
    ck_share(&session->workers, SIZE_MAX, samples, lane, session);
  } else {
    cx_program_run(&session->program, session->places, samples, &session->workers);
  }
  atomic_flag_clear_explicit(&session->is_running, memory_order_release);
  if (error) *error = (compress_error){.status = COMPRESS_OK};
  return COMPRESS_OK;
}

compress_status compress_run(compress_session *session, const float *const *inputs, float *const *outputs,
                             size_t samples, compress_error *error) {
  return run(session, inputs, outputs, samples, NULL, error);
}

compress_status compress_run_timed(compress_session *session, const float *const *inputs, float *const *outputs,
                                   size_t samples, uint64_t *nanoseconds, compress_error *error) {
  if (!nanoseconds) return cx_fail(error, COMPRESS_ARGUMENT, "no room for the steps' times");
  return run(session, inputs, outputs, samples, nanoseconds, error);
}
