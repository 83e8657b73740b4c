// Damaged compiled plans, opened and run: FILES… are undamaged ones. Each step of what can be opened also runs with
// every operand and its scratch in memory of its own, so that the address sanitizer sees where one leaves it.
//
//   library COUNT SEED FILES…
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { most_files = 4096 };
static const size_t most_bytes = 64 << 20;

typedef struct {
  uint8_t *bytes;
  size_t size;
} content;

static uint64_t state;
static uint64_t draw(uint64_t below) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (state * 0x2545F4914F6CDD1Dull >> 11) % below;
}

static content read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) exit(1);
  content c = {NULL, (size_t)ftell(file)};
  rewind(file);
  c.bytes = malloc(c.size);
  if (!c.bytes || fread(c.bytes, 1, c.size, file) != c.size) exit(1);
  fclose(file);
  return c;
}

// Where it hurts: mostly in the head, a number of 1, 4 or 8 bytes at its place.
static void damage(content *c) {
  static const uint64_t numbers[] = {0, 1, 2, 3, 4, 7, 8, 16, 63, 64, 255, 256, 65535, 1u << 24, 0x7FFFFFFF, 0x80000000,
                                     0xFFFFFFFF, 1ull << 32, 1ull << 40, 1ull << 63, UINT64_MAX, UINT64_MAX - 63};
  cx_head head;
  memcpy(&head, c->bytes, sizeof head);
  const size_t width = (size_t[]){1, 4, 8}[draw(3)];
  const bool is_head = draw(4) != 0 && head.head_bytes >= sizeof head && head.head_bytes < c->size;
  const size_t end = is_head ? (size_t)head.head_bytes : c->size;
  const size_t at = draw(end - 8) / width * width;
  uint64_t number = 0;
  memcpy(&number, c->bytes + at, width);
  switch (draw(6)) {
    case 0: number = numbers[draw(sizeof numbers / sizeof numbers[0])]; break;
    case 1: number += draw(2) ? 1 : UINT64_MAX; break;
    case 2: number = number * 2; break;
    case 3: number ^= 1ull << draw(64); break;
    case 4: number = draw(256); break;
    default: memcpy(&number, c->bytes + draw(end - 8) / width * width, width); break;
  }
  memcpy(c->bytes + at, &number, width);
}

// As whoever means harm would.
static void make_whole(content *c) {
  cx_head head;
  memcpy(&head, c->bytes, sizeof head);
  head.file_bytes = c->size;
  if (head.head_bytes < sizeof head || head.head_bytes > c->size) return;
  memcpy(c->bytes, &head, sizeof head);
  head.constants_checksum = cx_crc32(0, c->bytes + head.head_bytes, c->size - head.head_bytes);
  memcpy(c->bytes, &head, sizeof head);
  const size_t first = offsetof(cx_head, constants_checksum);
  head.head_checksum = cx_crc32(0, c->bytes + first, head.head_bytes - first);
  memcpy(c->bytes, &head, sizeof head);
}

static void *memory(size_t bytes) {
  void *p = malloc(bytes);
  if (!p) exit(1);
  for (size_t i = 0; i + 4 <= bytes; i += 4) {
    const float x = (float)((int)draw(2001) - 1000) / 500;
    memcpy((char *)p + i, &x, 4);
  }
  return p;
}

// Every value and each scratch apart.
static void run_apart(const compress_model *model, size_t samples, size_t threads, ck_pool *pool) {
  const ck_workers workers = {pool, threads, 0, NULL};
  void **values = calloc((size_t)model->plan->values + 1, sizeof *values);
  for (size_t i = 0; i < model->plan->values; i++) values[i] = memory(model->value_bytes[i] * samples);
  for (size_t i = 0; i < model->plan->steps; i++) {
    const cx_bound *step = &model->steps[i];
    const size_t inputs = step->record->inputs, outputs = step->record->outputs;
    void **operands = malloc((inputs + outputs) * sizeof *operands);
    for (size_t k = 0; k < inputs + outputs; k++) operands[k] = values[step->inputs[k]];
    const size_t bytes = step->kind->scratch ? step->kind->scratch(step->step, samples, threads) : 0;
    void *scratch = memory(bytes);
    const ck_bound_step bound = {step->kind->run, step->step, (const void *const *)operands, operands + inputs,
                                 step->constants, scratch};
    ck_run_steps(&bound, 1, model->kernels, samples, &workers);
    free(scratch);
    free(operands);
  }
  for (size_t i = 0; i < model->plan->values; i++) free(values[i]);
  free(values);
}

static void run(compress_model *model, ck_pool *pool) {
  const size_t samples = 1 + draw(3), threads = draw(16) == 0 ? 2 : 1;
  uint64_t sum = compress_session_bytes(model, threads, samples);
  for (size_t i = 0; i < model->plan->values && sum <= most_bytes; i++) sum += model->value_bytes[i] * samples;
  if (sum > most_bytes) return;
  compress_session *session = compress_session_create(model, threads, samples, NULL);
  if (!session) return;
  float *ports[64];
  const size_t inputs = compress_input_count(model), outputs = compress_output_count(model);
  if (inputs + outputs <= 64) {
    for (size_t i = 0; i < inputs + outputs; i++) {
      const compress_value *value = i < inputs ? compress_input(model, i) : compress_output(model, i - inputs);
      ports[i] = memory(value->count * samples * sizeof(float));
    }
    if (compress_run(session, (const float *const *)ports, ports + inputs, samples, NULL) != COMPRESS_OK) exit(1);
    for (size_t i = 0; i < inputs + outputs; i++) free(ports[i]);
  }
  compress_session_close(session);
  run_apart(model, samples, threads, threads > 1 ? pool : NULL);
}

int main(int count, char **arguments) {
  if (count < 4) return 2;
  const long long iterations = atoll(arguments[1]);
  state = (uint64_t)atoll(arguments[2]) * 0x9E3779B97F4A7C15ull + 1;
  static content files[most_files];
  size_t known = 0;
  for (int i = 3; i < count && known < most_files; i++) files[known++] = read_file(arguments[i]);
  ck_pool *pool = ck_pool_create(2, NULL, NULL);
  // Undamaged ones run; whoever compiles for other processors is refused.
  size_t usable = 0;
  for (size_t i = 0; i < known; i++) {
    compress_error error;
    compress_model *model = compress_open_memory(files[i].bytes, files[i].size, &error);
    if (!model) {
      fprintf(stderr, "%s: %s\n", arguments[i + 3], error.text);
      return 1;
    }
    run(model, pool);
    compress_close(model);
    files[usable++] = files[i];
  }
  long long opened = 0, statuses[8] = {0};
  double slowest = 0;
  for (long long i = 0; i < iterations; i++) {
    const content from = files[draw(usable)];
    content c = {malloc(from.size), from.size};
    if (!c.bytes) return 1;
    memcpy(c.bytes, from.bytes, c.size);
    for (uint64_t k = 1 + draw(3); k > 0; k--) damage(&c);
    if (draw(32) == 0) c.size = 8 + draw(c.size - 8);
    if (c.size >= sizeof(cx_head) && draw(32) != 0) make_whole(&c);
    const clock_t start = clock();
    compress_error error = {0};
    compress_model *model = compress_open_memory(c.bytes, c.size, &error);
    statuses[error.status & 7]++;
    if (model) {
      opened++;
      run(model, pool);
      compress_close(model);
    }
    const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    slowest = seconds > slowest ? seconds : slowest;
    free(c.bytes);
  }
  ck_pool_destroy(pool);
  printf("%lld damaged files of %zu: %lld opened and run; %lld damaged, %lld no plan, %lld of another version, %lld for other "
         "processors; the slowest took %.2f s\n", iterations, usable, opened, statuses[COMPRESS_DAMAGED],
         statuses[COMPRESS_NO_PLAN], statuses[COMPRESS_OTHER_VERSION], statuses[COMPRESS_OTHER_CPU], slowest);
  for (size_t i = 0; i < known; i++) free(files[i].bytes);
  return 0;
}
