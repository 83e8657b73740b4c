#include "program.h"

#include <stdlib.h>
#include <time.h>

// Zeroed, and as much more as it takes to begin at a multiple of the alignment.
static char *arena_of(cx_program *program, uint64_t bytes) {
  if (bytes > SIZE_MAX / 2) return NULL;
  program->arena = calloc(1, (size_t)bytes + CX_ALIGNMENT);
  if (!program->arena) return NULL;
  return (char *)(((uintptr_t)program->arena + CX_ALIGNMENT - 1) / CX_ALIGNMENT * CX_ALIGNMENT);
}

static void bind(const compress_model *model, const cx_layout *layout, char *arena, const size_t *port_of, size_t samples,
                 const ck_workers *workers, cx_program *program) {
  void **next = program->operands;
  for (size_t i = 0; i < model->plan->steps; i++) {
    const cx_bound *step = &model->steps[i];
    const size_t operands = (size_t)step->record->inputs + step->record->outputs;
    const ck_bound_step bound = {step->kind->run, step->step, (const void *const *)next, next + step->record->inputs,
                                 step->constants, arena + layout->scratch[i]};
    for (size_t k = 0; k < operands; k++, next++) {
      const uint32_t value = step->inputs[k];  // the outputs follow
      if (layout->places[value] != CX_CALLERS) {
        *next = arena + layout->places[value];
      } else {
        program->callers[program->callers_count++] = (cx_callers){(size_t)(next - program->operands), port_of[value]};
      }
    }
    if (step->is_constant) ck_run_steps(&bound, 1, model->kernels, samples, workers);
    else program->steps[program->count++] = bound;
  }
}

bool cx_program_make(const compress_model *model, size_t samples, const ck_workers *workers, cx_program *program) {
  const size_t steps = model->plan->steps, ports = (size_t)model->head->inputs + model->head->outputs;
  size_t operands = 0;
  for (size_t i = 0; i < steps; i++) operands += (size_t)model->steps[i].record->inputs + model->steps[i].record->outputs;
  *program = (cx_program){.kernels = model->kernels};
  cx_layout layout;
  if (!cx_layout_of(model, samples, workers->threads, &layout)) return false;
  char *arena = arena_of(program, layout.bytes);
  program->steps = calloc(steps + 1, sizeof *program->steps);
  program->operands = calloc(operands + 1, sizeof *program->operands);
  program->callers = calloc(operands + 1, sizeof *program->callers);
  size_t *port_of = calloc((size_t)model->plan->values + 1, sizeof *port_of);
  const bool fits = arena && program->steps && program->operands && program->callers && port_of;
  if (fits) {
    for (size_t i = 0; i < ports; i++) port_of[model->ports[i]] = i;
    bind(model, &layout, arena, port_of, samples, workers, program);
  } else {
    cx_program_free(program);
  }
  free(port_of);
  cx_layout_free(&layout);
  return fits;
}

void cx_program_free(cx_program *program) {
  free(program->arena);
  free(program->steps);
  free(program->operands);
  free(program->callers);
  *program = (cx_program){0};
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void cx_program_time(cx_program *program, const compress_model *model, void *const *places, size_t samples,
                     const ck_workers *workers, uint64_t *nanoseconds) {
  cx_program_place(program, places);
  size_t next = 0;
  for (size_t i = 0; i < model->plan->steps; i++) {
    if (model->steps[i].is_constant) continue;
    const uint64_t start = now();
    ck_run_steps(&program->steps[next++], 1, program->kernels, samples, workers);
    nanoseconds[i] += now() - start;
  }
}
