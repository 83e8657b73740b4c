// What holds of every struct of a step, whatever the step: the fields one by one, and the bytes between them.
#include "check.h"

#include <string.h>

const ck_step_kind *ck_step_kind_named(const char *name) {
  size_t count;
  const ck_step_kind *kinds = ck_step_kinds(&count);
  for (size_t i = 0; i < count; i++) {
    if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
  }
  return NULL;
}

static bool is_field(const ck_field *field, const uint8_t *bytes) {
  for (size_t i = 0; i < field->bytes;) {
    uint64_t size;
    uint32_t number;
    switch ((ck_field_type)field->type) {
      case ck_field_size:
        memcpy(&size, bytes + i, sizeof size);
        if (size > CK_MOST_SIZE) return false;
        i += sizeof size;
        break;
      case ck_field_flag:
        if (bytes[i] > 1) return false;
        i++;
        break;
      case ck_field_enum:
        memcpy(&number, bytes + i, sizeof number);
        if (number > field->limit) return false;
        i += sizeof number;
        break;
      case ck_field_byte: i++; break;
      case ck_field_float:
      case ck_field_int32: i += sizeof number; break;
    }
  }
  return true;
}

// Where the bytes in no field begin and end, those before a field; behind the last field with it at `field_count`.
typedef struct {
  size_t first, end;
} gap;

static gap gap_before(const ck_step_kind *kind, size_t index) {
  const ck_field *fields = kind->fields;
  return (gap){index == 0 ? 0 : (size_t)fields[index - 1].offset + fields[index - 1].bytes,
               index == kind->field_count ? kind->bytes : fields[index].offset};
}

void ck_clear_gaps(const ck_step_kind *kind, void *step) {
  for (size_t i = 0; i <= kind->field_count; i++) {
    const gap g = gap_before(kind, i);
    memset((char *)step + g.first, 0, g.end - g.first);
  }
}

const char *ck_check_step(const ck_step_kind *kind, const void *step, size_t bytes, const ck_operands *of) {
  const uint8_t *at = step;
  if (bytes != kind->bytes || (uintptr_t)step % sizeof(size_t) != 0) return "its struct has another size";
  for (size_t i = 0; i <= kind->field_count; i++) {
    const gap g = gap_before(kind, i);
    for (size_t k = g.first; k < g.end; k++) {
      if (at[k] != 0) return "its struct has bytes in no field that are not zero";
    }
    if (i < kind->field_count && !is_field(&kind->fields[i], at + kind->fields[i].offset)) return CK_BAD_NUMBER;
  }
  for (size_t i = 0; i < of->inputs; i++) {
    if (of->input_bytes[i] == 0) return CK_OTHER_SIZES;
  }
  for (size_t i = 0; i < of->outputs; i++) {
    if (of->output_bytes[i] == 0) return CK_OTHER_SIZES;
  }
  return kind->check(step, of);
}

static uint32_t mixed(uint32_t hash, const void *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) hash = (hash ^ ((const uint8_t *)bytes)[i]) * 16777619u;
  return hash;
}

uint32_t ck_steps_layout(void) {
  size_t count;
  const ck_step_kind *kinds = ck_step_kinds(&count);
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < count; i++) {
    hash = mixed(hash, kinds[i].name, strlen(kinds[i].name) + 1);
    hash = mixed(hash, &kinds[i].bytes, sizeof kinds[i].bytes);
    hash = mixed(hash, kinds[i].fields, kinds[i].field_count * sizeof(ck_field));
  }
  return hash;
}
