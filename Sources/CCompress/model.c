#include "model.h"

#include <stdlib.h>
#include <string.h>

int compress_api_version(void) { return COMPRESS_API_VERSION; }

// Takes the file over.
static compress_model *opened(const char *name, cx_file file, compress_error *error) {
  compress_model *model = calloc(1, sizeof *model);
  if (model) model->name = strdup(name);
  if (!model || !model->name) {
    free(model);
    cx_file_close(&file);
    cx_fail(error, COMPRESS_SYSTEM, "no memory");
    return NULL;
  }
  atomic_init(&model->references, 1);
  model->file = file;
  if (cx_read_head(model, error) == COMPRESS_OK && cx_read_plan(model, error) == COMPRESS_OK) {
    if (error) *error = (compress_error){.status = COMPRESS_OK};
    return model;
  }
  cx_release(model);
  return NULL;
}

compress_model *compress_open(const char *path, compress_error *error) {
  cx_file file;
  if (!path) {
    cx_fail(error, COMPRESS_ARGUMENT, "no path");
    return NULL;
  }
  return cx_file_open(path, &file, error) == COMPRESS_OK ? opened(path, file, error) : NULL;
}

compress_model *compress_open_memory(const void *bytes, size_t size, compress_error *error) {
  cx_file file;
  if (!bytes) {
    cx_fail(error, COMPRESS_ARGUMENT, "no bytes");
    return NULL;
  }
  return cx_file_of_memory(bytes, size, &file, error) == COMPRESS_OK ? opened("the file in memory", file, error) : NULL;
}

void cx_release(compress_model *model) {
  if (atomic_fetch_sub_explicit(&model->references, 1, memory_order_acq_rel) != 1) return;
  cx_file_close(&model->file);
  free(model->name);
  free(model->steps);
  free(model->values);
  free(model->shapes);
  free(model);
}

void compress_close(compress_model *model) {
  if (model) cx_release(model);
}

size_t compress_input_count(const compress_model *model) { return model->head->inputs; }
size_t compress_output_count(const compress_model *model) { return model->head->outputs; }

const compress_value *compress_input(const compress_model *model, size_t index) {
  return index < model->head->inputs ? &model->values[index] : NULL;
}

const compress_value *compress_output(const compress_model *model, size_t index) {
  return index < model->head->outputs ? &model->values[model->head->inputs + index] : NULL;
}

size_t compress_class_count(const compress_model *model) { return model->head->classes; }

const char *compress_class_name(const compress_model *model, size_t index) {
  if (index >= model->head->classes) return NULL;
  return cx_string(model, ((const cx_text *)cx_at(model, model->head->class_records))[index]);
}

const compress_preprocessing *compress_model_preprocessing(const compress_model *model) {
  return model->has_preprocessing ? &model->preprocessing : NULL;
}

const char *compress_instruction_set(const compress_model *model) { return ck_isa_name(model->kernels->isa); }

size_t compress_step_count(const compress_model *model) { return model->plan->steps; }

const char *compress_step_layer(const compress_model *model, size_t index) {
  return index < model->plan->steps ? cx_string(model, model->steps[index].record->layer) : NULL;
}

const char *compress_step_kernel(const compress_model *model, size_t index) {
  return index < model->plan->steps ? model->steps[index].record->kernel : NULL;
}
