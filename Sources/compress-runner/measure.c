// One turn of one plan: opened, warmed up, run and timed.
#define _POSIX_C_SOURCE 200809L
#include "compress.h"
#include "runner.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  const runner_job *job;
  const char *name;
  compress_model *model;
  compress_session *session;
  size_t inputs, outputs;
  float **input, **output;
  float *sample;         // with the elements of all inputs, where there are several
  size_t sample_floats;  // of all inputs
  int samples;           // the file
} run;

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void read_sample(const run *r, size_t index, float *into) {
  char *next = (char *)into;
  const size_t bytes = r->sample_floats * sizeof(float);
  for (size_t done = 0; done < bytes;) {
    const ssize_t more = pread(r->samples, next + done, bytes - done, (off_t)(index * bytes + done));
    if (more <= 0) runner_fail("%s: sample %zu is cut short", r->name, index);
    done += (size_t)more;
  }
}

// Fetches the samples of a run. They are read one by one: such that wait in memory would count as the plan's.
static void prepare(const run *r, size_t number) {
  for (size_t b = 0; b < r->job->batch; b++) {
    const size_t index = (number * r->job->batch + b) % r->job->samples;
    if (r->inputs == 1) {
      read_sample(r, index, r->input[0] + b * r->sample_floats);
      continue;
    }
    read_sample(r, index, r->sample);
    size_t offset = 0;
    for (size_t i = 0; i < r->inputs; i++) {
      const size_t count = compress_input(r->model, i)->count;
      for (size_t k = 0; k < count; k++) r->input[i][b * count + k] = r->sample[offset + k];
      offset += count;
    }
  }
}

// Nanoseconds; of each step added to `steps`, where it is not NULL.
static uint64_t once(const run *r, uint64_t *steps) {
  compress_error error;
  const float *const *inputs = (const float *const *)r->input;
  const uint64_t start = now();
  const compress_status status = steps ? compress_run_timed(r->session, inputs, r->output, r->job->batch, steps, &error)
                                       : compress_run(r->session, inputs, r->output, r->job->batch, &error);
  const uint64_t end = now();
  if (status != COMPRESS_OK) runner_fail("%s", error.text);
  return end - start;
}

static int ascending(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

// By nearest rank; sorts them.
static uint64_t median(uint64_t *values, size_t count) {
  qsort(values, count, sizeof *values, ascending);
  return values[(count * 50 + 99) / 100 - 1];
}

// As many runs as fit two seconds, at least 20.
static size_t fitting(const run *r) {
  uint64_t trial[3];
  for (size_t i = 0; i < 8; i++) {
    prepare(r, i);
    const uint64_t taken = once(r, NULL);
    if (i >= 5) trial[i - 5] = taken;
  }
  const uint64_t middle = median(trial, 3), fit = 2000000000u / (middle > 0 ? middle : 1);
  return fit < 20 ? 20 : fit > runner_most_runs ? runner_most_runs : (size_t)fit;
}

static void time_runs(const run *r, runner_turn *turn) {
  const runner_job *job = r->job;
  size_t warm_up = job->warm_up;
  turn->runs = job->runs;
  if (turn->runs == 0) {
    turn->runs = fitting(r);
    warm_up = warm_up < turn->runs / 4 ? warm_up : turn->runs / 4;
  }
  // Zeroed, so that no page is touched for the first time between two runs.
  turn->nanoseconds = runner_allocate(turn->runs, sizeof *turn->nanoseconds);
  for (size_t i = 0; i < turn->runs; i++) turn->nanoseconds[i] = 0;
  const uint64_t begin = now();
  for (size_t i = 0; i < warm_up; i++) {
    prepare(r, i);
    once(r, NULL);
  }
  // Slow spells of some hundredths of a second come and go by themselves; what is over sooner may lie in one altogether.
  size_t untimed = 0;
  if (warm_up > 0 && job->least_ms > 0) {
    const double pace = (double)(now() - begin + 1) / (double)warm_up;
    const double wanted = (double)job->least_ms * 1e6 / pace / (double)turn->runs - 1;
    untimed = wanted > 0 ? (size_t)fmin(wanted, 999) : 0;
  }
  for (size_t i = 0; i < turn->runs; i++) {
    for (size_t k = 0; k < untimed; k++) {
      prepare(r, i);
      once(r, NULL);
    }
    prepare(r, i);
    turn->nanoseconds[i] = once(r, NULL);
  }
}

static void time_steps(const run *r, runner_turn *turn) {
  const size_t steps = compress_step_count(r->model);
  const size_t runs = turn->runs < runner_most_layer_runs ? turn->runs : runner_most_layer_runs;
  uint64_t *all = runner_allocate(steps * runs + 1, sizeof *all), *times = runner_allocate(steps + 1, sizeof *times);
  for (size_t i = 0; i < runs; i++) {
    for (size_t k = 0; k < steps; k++) times[k] = 0;
    prepare(r, i);
    once(r, times);
    for (size_t k = 0; k < steps; k++) all[k * runs + i] = times[k];
  }
  for (size_t k = 0; k < steps; k++) times[k] = median(all + k * runs, runs);
  free(all);
  turn->steps = steps;
  turn->step_nanoseconds = times;
}

static uint64_t undefined(const run *r) {
  uint64_t found = 0;
  for (size_t b = 0; b < r->job->batch; b++) {
    int is_undefined = 0;
    for (size_t i = 0; i < r->outputs; i++) {
      const size_t count = compress_output(r->model, i)->count;
      for (size_t k = 0; k < count; k++) is_undefined |= isnan(r->output[i][b * count + k]) != 0;
    }
    found += (uint64_t)is_undefined;
  }
  return found;
}

runner_turn runner_measure(const runner_job *job, size_t plan) {
  char name[32];
  snprintf(name, sizeof name, "%zu.cmpx", plan + 1);
  compress_error error;
  runner_turn turn = {.threads = job->threads ? job->threads : runner_processors()};
  run r = {.job = job, .name = name, .model = compress_open(name, &error)};
  if (!r.model) runner_fail("%s", error.text);
  r.session = compress_session_create(r.model, turn.threads, job->batch, &error);
  if (!r.session) runner_fail("%s", error.text);
  snprintf(turn.isa, sizeof turn.isa, "%s", compress_instruction_set(r.model));
  r.inputs = compress_input_count(r.model);
  r.outputs = compress_output_count(r.model);
  r.input = runner_allocate(r.inputs, sizeof *r.input);
  r.output = runner_allocate(r.outputs, sizeof *r.output);
  for (size_t i = 0; i < r.inputs; i++) {
    const size_t count = compress_input(r.model, i)->count;
    r.input[i] = runner_allocate(count * job->batch, sizeof(float));
    r.sample_floats += count;
  }
  for (size_t i = 0; i < r.outputs; i++) {
    r.output[i] = runner_allocate(compress_output(r.model, i)->count * job->batch, sizeof(float));
  }
  if (r.inputs > 1) r.sample = runner_allocate(r.sample_floats, sizeof(float));
  r.samples = open("samples.f32", O_RDONLY);
  if (r.samples < 0) runner_fail("samples.f32: cannot be read");

  time_runs(&r, &turn);
  turn.temperature = runner_temperature();
  turn.clock = runner_clock();
  turn.peak_bytes = runner_peak_bytes();
  prepare(&r, 0);
  once(&r, NULL);
  turn.undefined = undefined(&r);
  if (job->layers) time_steps(&r, &turn);
  return turn;
}
