// Eight sessions of each file from eight threads, for so many seconds, while models are opened, described and closed:
// what they give is always the same.
//
//   library-threads SECONDS FILES…
#include "compress.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { threads = 8 };

typedef struct {
  compress_model *model;
  const char *path;
  const float *input, *expected;
  size_t outputs;
  double until;
  long long runs;
  int failed;
} job;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *work(void *context) {
  job *j = context;
  float *output = malloc(j->outputs * sizeof *output);
  while (now() < j->until && !j->failed) {
    compress_session *session = compress_session_create(j->model, 1 + (size_t)(j->runs % 2), 2, NULL);
    for (int i = 0; session && i < 20; i++) {
      if (compress_run(session, &j->input, &output, 1, NULL) != COMPRESS_OK ||
          memcmp(output, j->expected, j->outputs * sizeof *output) != 0) {
        j->failed = 1;
      }
      j->runs++;
    }
    if (!session) j->failed = 1;
    compress_session_close(session);
    compress_model *other = compress_open(j->path, NULL);
    if (!other || strcmp(compress_input(other, 0)->name, compress_input(j->model, 0)->name) != 0) j->failed = 1;
    compress_close(other);
  }
  free(output);
  return NULL;
}

int main(int count, char **arguments) {
  if (count < 3) return 2;
  const double seconds = atof(arguments[1]) / (count - 2);
  long long runs = 0;
  for (int file = 2; file < count; file++) {
    compress_error error;
    compress_model *model = compress_open(arguments[file], &error);
    if (!model || compress_input_count(model) != 1 || compress_output_count(model) != 1) {
      fprintf(stderr, "%s\n", model ? "one input and one output are wanted" : error.text);
      return 1;
    }
    const size_t inputs = compress_input(model, 0)->count, outputs = compress_output(model, 0)->count;
    float *input = malloc(inputs * sizeof *input), *expected = malloc(outputs * sizeof *expected);
    for (size_t i = 0; i < inputs; i++) input[i] = (float)(i % 17) / 8 - 1;
    const float *from = input;
    compress_session *session = compress_session_create(model, 1, 1, NULL);
    if (!session || compress_run(session, &from, &expected, 1, NULL) != COMPRESS_OK) return 1;
    compress_session_close(session);
    job jobs[threads];
    pthread_t ids[threads];
    for (int i = 0; i < threads; i++) {
      jobs[i] = (job){model, arguments[file], input, expected, outputs, now() + seconds, 0, 0};
      if (pthread_create(&ids[i], NULL, work, &jobs[i]) != 0) return 1;
    }
    for (int i = 0; i < threads; i++) {
      pthread_join(ids[i], NULL);
      runs += jobs[i].runs;
      if (jobs[i].failed) {
        fprintf(stderr, "%s: another result\n", arguments[file]);
        return 1;
      }
    }
    compress_close(model);
    free(input);
    free(expected);
  }
  printf("%lld runs by %d threads: always the same\n", runs, threads);
  return 0;
}
