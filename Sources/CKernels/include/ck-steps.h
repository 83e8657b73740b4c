// All kinds of steps, by name: so that a plan can be written down, read again, and checked before it is run.
#pragma once
#include "ck-step.h"

// The layout of the steps' structs and of what their constants hold: raised whenever either means something else.
#define CK_STEPS_VERSION 1

// Numbers of a struct that lie together; the rest of its bytes are zero.
typedef enum {
  ck_field_size,   // size_t, at most CK_MOST_SIZE
  ck_field_float,
  ck_field_byte,
  ck_field_flag,   // bool: 0 or 1
  ck_field_enum,   // 32 bits, at most the field's limit
  ck_field_int32,  // signed or not
} ck_field_type;
typedef struct {
  uint16_t offset, bytes;
  uint8_t type, limit;
} ck_field;

#define CK_MOST_SIZE ((size_t)1 << 40)

typedef struct {
  const char *name;  // f32_patches
  size_t bytes;      // of its struct
  ck_run *run;
  ck_scratch *scratch;  // NULL: it takes none
  ck_check *check;
  bool (*works_in_place)(const void *step);  // whether the result may take the place of an input of the same size
  const ck_field *fields;                    // by offset
  size_t field_count;
} ck_step_kind;

const ck_step_kind *ck_step_kinds(size_t *count);
// NULL where there is none of that name.
const ck_step_kind *ck_step_kind_named(const char *name);

// What a ck_check says of a step of that kind, its struct being `bytes` bytes that may hold anything.
const char *ck_check_step(const ck_step_kind *kind, const void *step, size_t bytes, const ck_operands *of);
// Zeros the bytes of a struct that are in no field.
void ck_clear_gaps(const ck_step_kind *kind, void *step);
// A number that the names of all kinds, their structs and fields give.
uint32_t ck_steps_layout(void);
