// The runner: measures compiled plans where they are to run. `compress bench --on` and `compress run --on` copy it there,
// with the plans, samples and a job, into a folder of its own, run it and read what it prints: one JSON object
// (docs/device.md). It writes no files, and takes an hour at most.
//
//   compress-runner JOB        in the folder where 1.cmpx, samples.f32 and the others lie
#define _GNU_SOURCE  // prctl's signal
#include "runner.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum { longest_seconds = 3600 };

void runner_fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("compress-runner: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

void *runner_allocate(size_t count, size_t size) {
  void *memory = calloc(count > 0 ? count : 1, size);
  if (!memory) runner_fail("no memory for %zu times %zu bytes", count, size);
  return memory;
}

// MARK: The job

static runner_job read_job(const char *path) {
  runner_job job = {0};
  const struct {
    const char *name;
    size_t *value, least, most;
  } fields[] = {
      {"plans", &job.plans, 1, 1000},         {"threads", &job.threads, 0, 1024},
      {"batch", &job.batch, 1, 4096},         {"samples", &job.samples, 1, 1000000},
      {"warm_up", &job.warm_up, 0, 1000000},  {"runs", &job.runs, 0, 10000000},
      {"turns", &job.turns, 1, 100},          {"least_ms", &job.least_ms, 0, 60000},
      {"layers", &job.layers, 0, 1},
  };
  FILE *file = fopen(path, "r");
  if (!file) runner_fail("%s: %s", path, strerror(errno));
  char name[32];
  unsigned long long value;
  while (fscanf(file, "%31s %llu", name, &value) == 2) {
    size_t found = 0;
    while (found < sizeof fields / sizeof *fields && strcmp(fields[found].name, name) != 0) found++;
    if (found == sizeof fields / sizeof *fields) runner_fail("%s: there is no \"%s\" in a job", path, name);
    if (value < fields[found].least || value > fields[found].most) runner_fail("%s: %s is %llu", path, name, value);
    *fields[found].value = (size_t)value;
  }
  if (!feof(file) || !job.plans || !job.batch || !job.samples || !job.turns) runner_fail("%s: is no job", path);
  fclose(file);
  return job;
}

// MARK: Turns, each in a process of its own

static void give(int to, const void *bytes, size_t count) {
  for (size_t done = 0; done < count;) {
    const ssize_t more = write(to, (const char *)bytes + done, count - done);
    if (more < 0 && errno == EINTR) continue;
    if (more <= 0) _exit(1);
    done += (size_t)more;
  }
}

static int take(int from, void *bytes, size_t count) {
  for (size_t done = 0; done < count;) {
    const ssize_t more = read(from, (char *)bytes + done, count - done);
    if (more < 0 && errno == EINTR) continue;
    if (more <= 0) return 0;
    done += (size_t)more;
  }
  return 1;
}

// So that its memory is its own.
static runner_turn measure_apart(const runner_job *job, size_t plan) {
  int ends[2];
  if (pipe(ends) != 0) runner_fail("no pipe: %s", strerror(errno));
  const pid_t parent = getpid(), child = fork();
  if (child < 0) runner_fail("no process: %s", strerror(errno));
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    close(ends[0]);
    const runner_turn turn = runner_measure(job, plan);
    give(ends[1], &turn, sizeof turn);
    give(ends[1], turn.nanoseconds, turn.runs * sizeof *turn.nanoseconds);
    give(ends[1], turn.step_nanoseconds, turn.steps * sizeof *turn.step_nanoseconds);
    _exit(0);
  }
  close(ends[1]);
  runner_turn turn = {0};
  int is_whole = take(ends[0], &turn, sizeof turn);
  if (is_whole) {
    turn.nanoseconds = runner_allocate(turn.runs, sizeof *turn.nanoseconds);
    turn.step_nanoseconds = runner_allocate(turn.steps, sizeof *turn.step_nanoseconds);
    is_whole = take(ends[0], turn.nanoseconds, turn.runs * sizeof *turn.nanoseconds) &&
               take(ends[0], turn.step_nanoseconds, turn.steps * sizeof *turn.step_nanoseconds);
  }
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  if (WIFSIGNALED(status)) runner_fail("plan %zu: its process was ended by signal %d", plan + 1, WTERMSIG(status));
  // What it failed of, it has said.
  if (!is_whole || WEXITSTATUS(status) != 0) exit(1);
  return turn;
}

// MARK: What was found out

static void print_numbers(const char *name, const uint64_t *numbers, size_t count) {
  printf("\"%s\":[", name);
  for (size_t i = 0; i < count; i++) printf("%s%" PRIu64, i ? "," : "", numbers[i]);
  printf("]");
}

static void print_turn(const runner_turn *turn) {
  printf("{");
  print_numbers("ns", turn->nanoseconds, turn->runs);
  printf(",\"peak_memory_bytes\":%" PRIu64, turn->peak_bytes);
  if (turn->temperature != INT64_MIN) printf(",\"temperature_millidegrees\":%" PRId64, turn->temperature);
  if (turn->clock) printf(",\"clock_khz\":%" PRIu64, turn->clock);
  printf("}");
}

static void print_machine(void) {
  struct utsname system = {0};
  uname(&system);
  char name[200];
  runner_machine_name(name, sizeof name);
  for (char *c = system.release; *c; c++)
    if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\') *c = '?';
  printf("\"machine\":{\"name\":\"%s\",\"system\":\"%.64s %.64s\",\"processors\":%zu}", name, system.sysname,
         system.release, runner_processors());
}

int main(int count, char **arguments) {
  if (count != 2) runner_fail("usage: compress-runner JOB");
  alarm(longest_seconds);
  const runner_job job = read_job(arguments[1]);
  runner_turn *turns = runner_allocate(job.plans * job.turns, sizeof *turns);
  // The first place goes around, so that a machine that slowly changes its pace favours nobody.
  for (size_t turn = 0; turn < job.turns; turn++) {
    runner_job own = job;
    own.layers = job.layers && turn + 1 == job.turns;
    for (size_t i = 0; i < job.plans; i++) {
      const size_t plan = (turn + i) % job.plans;
      turns[plan * job.turns + turn] = measure_apart(&own, plan);
    }
  }
  printf("{\"runner\":1,");
  print_machine();
  printf(",\"plans\":[");
  for (size_t plan = 0; plan < job.plans; plan++) {
    const runner_turn *own = turns + plan * job.turns, *last = own + job.turns - 1;
    printf("%s{\"isa\":\"%s\",\"threads\":%" PRIu64 ",\"undefined\":%" PRIu64 ",\"turns\":[", plan ? "," : "", last->isa,
           last->threads, last->undefined);
    for (size_t turn = 0; turn < job.turns; turn++) {
      if (turn) printf(",");
      print_turn(&own[turn]);
    }
    printf("]");
    if (job.layers) {
      printf(",");
      print_numbers("steps_ns", last->step_nanoseconds, last->steps);
    }
    printf("}");
  }
  printf("]}\n");
  return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
