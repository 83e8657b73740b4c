// The head of a file: what a model takes and gives, and what that means.
#include "model.h"

#include <stdlib.h>
#include <string.h>

enum { most_values = 4096, most_classes = 1 << 20, most_plans = 64 };

static compress_status damaged(const compress_model *model, compress_error *error, const char *what) {
  return cx_fail(error, COMPRESS_DAMAGED, "%.300s: is damaged: %s", model->name, what);
}

bool cx_is_list(const compress_model *model, uint64_t offset, uint64_t count, size_t bytes, size_t alignment) {
  const uint64_t end = model->head->head_bytes;
  return offset % alignment == 0 && offset >= sizeof(cx_head) && offset <= end && count <= (end - offset) / bytes;
}

// Whether bytes are UTF-8 without a zero: lengths by the first byte, nothing encoded longer than need be, no surrogates.
static bool is_utf8(const uint8_t *at, size_t count) {
  for (size_t i = 0; i < count;) {
    const uint8_t first = at[i];
    const size_t more = first < 0x80 ? 0 : first >= 0xC2 && first < 0xE0 ? 1 : first >= 0xE0 && first < 0xF0 ? 2
                        : first >= 0xF0 && first < 0xF5 ? 3 : SIZE_MAX;
    if (first == 0 || more > count - i - 1) return false;
    for (size_t k = 1; k <= more; k++) {
      if ((at[i + k] & 0xC0) != 0x80) return false;
    }
    if ((first == 0xE0 && at[i + 1] < 0xA0) || (first == 0xED && at[i + 1] >= 0xA0) ||
        (first == 0xF0 && at[i + 1] < 0x90) || (first == 0xF4 && at[i + 1] >= 0x90)) {
      return false;
    }
    i += more + 1;
  }
  return true;
}

bool cx_is_text(const compress_model *model, cx_text text) {
  return cx_is_list(model, text.offset, (uint64_t)text.bytes + 1, 1, 1) && cx_string(model, text)[text.bytes] == 0 &&
         is_utf8(cx_at(model, text.offset), text.bytes);
}

static const char *string_or_null(const compress_model *model, cx_text text) {
  return text.bytes == 0 ? NULL : cx_string(model, text);
}

static compress_status read_values(compress_model *model, compress_error *error) {
  const cx_head *head = model->head;
  const size_t count = (size_t)head->inputs + head->outputs;
  if (head->inputs < 1 || head->inputs > most_values || head->outputs < 1 || head->outputs > most_values ||
      !cx_is_list(model, head->value_records, count, sizeof(cx_value), 8)) {
    return damaged(model, error, "its list of inputs and outputs");
  }
  const cx_value *records = cx_at(model, head->value_records);
  model->values = calloc(count, sizeof *model->values);
  model->shapes = calloc(count * CX_MOST_AXES, sizeof *model->shapes);
  if (!model->values || !model->shapes) return cx_fail(error, COMPRESS_SYSTEM, "%.300s: no memory", model->name);
  for (size_t i = 0; i < count; i++) {
    const cx_value *r = &records[i];
    if (!cx_is_text(model, r->name) || !cx_is_text(model, r->file_name) || !cx_is_text(model, r->element) ||
        r->axes > CX_MOST_AXES || r->is_quantized > 1) {
      return damaged(model, error, "an input or output");
    }
    size_t *shape = model->shapes + i * CX_MOST_AXES, elements = 1;
    for (size_t axis = 0; axis < r->axes; axis++) {
      shape[axis] = r->shape[axis];
      if (shape[axis] < 1 || __builtin_mul_overflow(elements, shape[axis], &elements) || elements > CK_MOST_SIZE) {
        return damaged(model, error, "the shape of an input or output");
      }
    }
    model->values[i] = (compress_value){
        .name = cx_string(model, r->name), .shape = shape, .axes = r->axes, .count = elements,
        .file_name = string_or_null(model, r->file_name), .element = string_or_null(model, r->element),
        .is_quantized = (int)r->is_quantized, .scale = r->scale, .zero_point = r->zero_point, .limit = r->limit};
  }
  return COMPRESS_OK;
}

static bool are_positive(const float *numbers, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!(numbers[i] > 0 && numbers[i] - numbers[i] == 0)) return false;
  }
  return true;
}

static compress_status read_preprocessing(compress_model *model, compress_error *error) {
  const uint32_t offset = model->head->preprocessing_record;
  if (offset == 0) return COMPRESS_OK;
  if (!cx_is_list(model, offset, 1, sizeof(cx_preprocessing), 8)) return damaged(model, error, "its preprocessing");
  const cx_preprocessing *r = cx_at(model, offset);
  if ((r->channels != 1 && r->channels != 3) || r->height < 1 || r->width < 1 || r->crop > r->short_side ||
      (r->crop == 0) != (r->short_side == 0) || !are_positive(r->deviation, 3)) {
    return damaged(model, error, "its preprocessing");
  }
  model->has_preprocessing = true;
  model->preprocessing = (compress_preprocessing){
      .short_side = r->short_side, .crop = r->crop, .height = r->height, .width = r->width, .channels = r->channels,
      .scale = r->scale};
  memcpy(model->preprocessing.mean, r->mean, sizeof r->mean);
  memcpy(model->preprocessing.deviation, r->deviation, sizeof r->deviation);
  return COMPRESS_OK;
}

static compress_status read_classes(const compress_model *model, compress_error *error) {
  const cx_head *head = model->head;
  if (head->classes > most_classes || !cx_is_list(model, head->class_records, head->classes, sizeof(cx_text), 8)) {
    return damaged(model, error, "its list of classes");
  }
  const cx_text *names = cx_at(model, head->class_records);
  for (size_t i = 0; i < head->classes; i++) {
    if (!cx_is_text(model, names[i])) return damaged(model, error, "the name of a class");
  }
  return COMPRESS_OK;
}

compress_status cx_read_head(compress_model *model, compress_error *error) {
  static const uint8_t magic[] = CX_MAGIC;
  const cx_head *head = model->head = (const void *)model->file.bytes;
  const uint64_t size = model->file.size;
  if (size < sizeof magic || memcmp(model->file.bytes, magic, sizeof magic) != 0) {
    return cx_fail(error, COMPRESS_NO_PLAN,
                   "%.300s: is no compiled plan; one is made of a model file by: compress convert MODEL net.cmpx",
                   model->name);
  }
  if (size < sizeof *head) return damaged(model, error, "it is cut short");
  if (head->version != CX_VERSION || head->steps_version != CK_STEPS_VERSION) {
    return cx_fail(error, COMPRESS_OTHER_VERSION,
                   "%.300s: is of version %u.%u, and this library runs %d.%d: compile the model again", model->name,
                   head->version, head->steps_version, CX_VERSION, CK_STEPS_VERSION);
  }
  if (head->file_bytes != size) {
    return cx_fail(error, COMPRESS_DAMAGED, "%.300s: has %llu bytes, and should have %llu", model->name,
                   (unsigned long long)size, (unsigned long long)head->file_bytes);
  }
  if (head->head_bytes < sizeof *head || head->head_bytes > size || head->head_bytes > UINT32_MAX ||
      head->head_bytes % CX_ALIGNMENT != 0) {
    return damaged(model, error, "where its head ends");
  }
  const size_t first = offsetof(cx_head, constants_checksum), end = head->head_bytes;
  if (cx_crc32(0, model->file.bytes + first, end - first) != head->head_checksum ||
      cx_crc32(0, model->file.bytes + end, size - end) != head->constants_checksum) {
    return damaged(model, error, "its checksum is another");
  }
  // From here on it is what somebody wrote.
  if (head->plans < 1 || head->plans > most_plans ||
      !cx_is_list(model, head->plan_records, head->plans, sizeof(cx_plan), 8)) {
    return damaged(model, error, "its list of plans");
  }
  compress_status status = read_values(model, error);
  if (status == COMPRESS_OK) status = read_classes(model, error);
  if (status == COMPRESS_OK) status = read_preprocessing(model, error);
  return status;
}
