// What the runner's files share: the program that measures compiled plans on the machine that it is copied to.
#pragma once
#include <stddef.h>
#include <stdint.h>

// What is to be measured, as the file of the job says. Numbers that are not told are 0.
typedef struct {
  size_t plans;     // files 1.cmpx, 2.cmpx …
  size_t threads;   // 0: as many as there are processors for this process
  size_t batch;     // samples at once
  size_t samples;   // in the file samples.f32, each with the elements of all inputs one after the other
  size_t warm_up;   // runs before the first that counts
  size_t runs;      // of a turn; 0: as many as fit two seconds, at least 20
  size_t turns;     // of each plan, each in a process of its own, in between the others'
  size_t least_ms;  // how long a turn lasts at least, by runs that are not counted in between
  size_t layers;    // 1: how long each step takes as well, in runs of their own
} runner_job;

enum { runner_most_runs = 100000, runner_most_layer_runs = 1000 };

// What one turn found out.
typedef struct {
  char isa[32];  // what it ran with
  uint64_t threads;
  uint64_t runs;
  uint64_t undefined;  // samples of the first batch that are answered NaN to
  uint64_t peak_bytes;
  uint64_t steps;              // 0 where they are not timed
  int64_t temperature;         // thousandths of a degree; INT64_MIN where nobody tells
  uint64_t clock;              // kHz; 0 likewise
  uint64_t *nanoseconds;       // of each run
  uint64_t *step_nanoseconds;  // of each step, the median
} runner_turn;

// Ends the process, with a line on standard error, where something does not work.
_Noreturn void runner_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *runner_allocate(size_t count, size_t size);

// In this process, whose memory it fills.
runner_turn runner_measure(const runner_job *job, size_t plan);

// Processors that this process may run on.
size_t runner_processors(void);
// The most memory that this process has held.
uint64_t runner_peak_bytes(void);
// The hottest place that the system tells of, and the fastest processor's clock right now.
int64_t runner_temperature(void);
uint64_t runner_clock(void);
// What the machine is called: printable ASCII.
void runner_machine_name(char *text, size_t size);
