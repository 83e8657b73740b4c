// The steps of a model with memory, as ck_run_steps runs them.
#pragma once
#include "model.h"

// Where the memory of an input or output of the caller's is to be written down.
typedef struct {
  size_t operand, port;
} cx_callers;

typedef struct {
  void *arena;  // to be freed
  ck_bound_step *steps;
  size_t count;
  void **operands;  // of one step after the other, its inputs and then its outputs
  cx_callers *callers;
  size_t callers_count;
  const ck_kernels *kernels;
} cx_program;

// For up to so many samples on so many threads; what is the same in every call is computed. False where there is no
// memory.
bool cx_program_make(const compress_model *model, size_t samples, const ck_workers *workers, cx_program *program);
void cx_program_free(cx_program *program);

// Places are the inputs and then the outputs.
static inline void cx_program_place(cx_program *program, void *const *places) {
  for (size_t i = 0; i < program->callers_count; i++) {
    program->operands[program->callers[i].operand] = places[program->callers[i].port];
  }
}

static inline void cx_program_run(cx_program *program, void *const *places, size_t samples, const ck_workers *workers) {
  cx_program_place(program, places);
  ck_run_steps(program->steps, program->count, program->kernels, samples, workers);
}

// The same, and adds what each step of the model takes.
void cx_program_time(cx_program *program, const compress_model *model, void *const *places, size_t samples,
                     const ck_workers *workers, uint64_t *nanoseconds);
