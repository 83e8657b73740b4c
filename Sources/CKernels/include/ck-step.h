// Steps of a plan: a struct of plain numbers, made ahead of time, and a function that runs it.
//
// A step's struct holds numbers and offsets, no pointers, so that its bytes can be written down and read again: what it
// needs of packed weights, tables and the like lies in its constants, a block of bytes apart. How much scratch it takes
// is known beforehand. The result has the same bits for any number of threads and any instruction set; of the kernels
// given only the tile must be the one its weights were packed for.
//
// To add a step: its struct in include/steps/NAME.h, its functions in steps/NAME.c, its row in steps/kinds.c, and a Swift
// file that fills it (docs/architecture.md, "Adding an operator").
#pragma once
#include "ck-table.h"
#include "ck-threads.h"

// What a step is given for one call. Values of several samples lie one after the other.
typedef struct {
  const void *const *inputs;
  void *const *outputs;
  const void *constants;  // aligned to 64 bytes
  void *scratch;          // as many bytes as the step's scratch function says, at any address
  size_t batch;
  const ck_workers *workers;
} ck_call;

// A pointer to such a function is of a step's own struct; it does nothing for an empty batch.
typedef void ck_run(const void *step, const ck_kernels *kernels, const ck_call *call);
// Bytes of scratch for up to so many samples on so many threads; it never falls as they grow.
typedef size_t ck_scratch(const void *step, size_t batch, size_t threads);

// What a step is to be run on, for a check of it: bytes of one sample of each operand, and the constants.
typedef struct {
  const ck_kernels *kernels;
  const size_t *input_bytes, *output_bytes;
  size_t inputs, outputs;
  const void *constants;  // aligned to 64 bytes
  size_t constant_bytes;
} ck_operands;

// Of a step whose struct and constants may hold anything: NULL when running it reads and writes nothing but its operands,
// constants and scratch, for any batch of samples up to 2^40 bytes, divides by nothing that is zero, overflows nothing
// and comes to an end; else what is wrong. A struct's fields have been looked at one by one (ck-steps.h).
typedef const char *ck_check(const void *step, const ck_operands *of);

// A step with its memory: one entry of a session's list.
typedef struct {
  ck_run *run;
  const void *step;
  const void *const *inputs;
  void *const *outputs;
  const void *constants;
  void *scratch;
} ck_bound_step;

// Runs steps one after the other; once stopping is requested no more follow.
void ck_run_steps(const ck_bound_step *steps, size_t count, const ck_kernels *kernels, size_t batch,
                  const ck_workers *workers);
