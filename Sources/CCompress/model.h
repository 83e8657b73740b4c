// What the library's files share.
#pragma once
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include "compiled-plan.h"
#include "compress.h"

#include "ck-steps.h"

#include <stdatomic.h>
#include <stdbool.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "compiled plans are little-endian"
#endif

// Where the bytes of a file come from.
typedef struct {
  const uint8_t *bytes;
  size_t size;
  void *mapping;  // to be unmapped, or NULL
  void *copy;     // to be freed, or NULL
} cx_file;

typedef struct {
  const ck_step_kind *kind;
  const cx_step *record;
  const void *step, *constants;
  const uint32_t *inputs, *outputs;  // numbers of values
  bool is_constant;                  // gives the same in every call
} cx_bound;

struct compress_model {
  atomic_size_t references;
  cx_file file;
  char *name;  // for errors
  const cx_head *head;
  const cx_plan *plan;
  const ck_kernels *kernels;
  const uint64_t *value_bytes;
  const uint32_t *ports;  // values of the inputs, then of the outputs
  cx_bound *steps;
  compress_value *values;  // the inputs, then the outputs
  size_t *shapes;
  bool has_preprocessing;
  compress_preprocessing preprocessing;
};

static inline const void *cx_at(const compress_model *model, uint64_t offset) { return model->file.bytes + offset; }
static inline const char *cx_string(const compress_model *model, cx_text text) { return cx_at(model, text.offset); }

// Notes what went wrong, if anyone wants to know; what could steer a terminal becomes a question mark.
compress_status cx_fail(compress_error *error, compress_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

compress_status cx_file_open(const char *path, cx_file *file, compress_error *error);
compress_status cx_file_of_memory(const void *bytes, size_t size, cx_file *file, compress_error *error);
void cx_file_close(cx_file *file);

// Read what the head says, and then the steps of the plan for this processor; each checks what it reads.
compress_status cx_read_head(compress_model *model, compress_error *error);
compress_status cx_read_plan(compress_model *model, compress_error *error);
// Whether a list of so many records is in the head, and where it should be.
bool cx_is_list(const compress_model *model, uint64_t offset, uint64_t count, size_t bytes, size_t alignment);
bool cx_is_text(const compress_model *model, cx_text text);

void cx_release(compress_model *model);

// Where the values and the scratch of the steps lie in one arena: what is not needed at the same time shares bytes.
#define CX_CALLERS UINT64_MAX  // no place in the arena: an input's or output's memory is the caller's
typedef struct {
  uint64_t *places;   // of each value
  uint64_t *scratch;  // of each step
  uint64_t bytes;     // of the arena; UINT64_MAX where they cannot be counted
} cx_layout;
// False where there is no memory for it.
bool cx_layout_of(const compress_model *model, size_t samples, size_t threads, cx_layout *layout);
void cx_layout_free(cx_layout *layout);
