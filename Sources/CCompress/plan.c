// The plan for this processor: which one it is, and that its steps can be run.
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { most_steps = 1 << 14, most_values = 1 << 15, most_operands = 1 << 18 };
// Steps may share constants, which are looked at for each of them: all together at most so many times the file.
enum { most_shared = 64 };

// The best set of instructions that this processor has.
static compress_status choose(compress_model *model, compress_error *error) {
  const cx_plan *plans = cx_at(model, model->head->plan_records);
  char names[64] = "";
  for (size_t i = 0; i < model->head->plans; i++) {
    if (plans[i].isa >= CK_ISA_COUNT) continue;
    const ck_isa isa = (ck_isa)plans[i].isa;
    const ck_kernels *kernels = ck_kernels_for(isa);
    if (kernels && (!model->kernels || isa > model->kernels->isa)) {
      model->kernels = kernels;
      model->plan = &plans[i];
    }
    const size_t used = strlen(names);
    snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "", ck_isa_name(isa));
  }
  if (model->plan) return COMPRESS_OK;
  return cx_fail(error, COMPRESS_OTHER_CPU,
                 "%.300s: is compiled for %s, which this processor does not run: compile the model for it", model->name,
                 names[0] ? names : "instruction sets that are not known here");
}

static compress_status wrong(const compress_model *model, size_t index, const cx_step *record, const char *what,
                             compress_error *error) {
  return cx_fail(error, COMPRESS_DAMAGED, "%.200s: step %zu, %.23s of layer \"%.100s\", cannot be run: %s", model->name,
                 index + 1, record->kernel, cx_string(model, record->layer), what);
}

// Memory for reading the steps: of each value whether it is known, the same in every call, and given to the caller; bytes of
// a step's operands.
typedef struct {
  bool *known, *constant, *given;
  size_t *room;
} notes;

static compress_status read_step(compress_model *model, size_t index, const uint32_t *operands, notes n,
                                 uint64_t *constants, compress_error *error) {
  const cx_plan *plan = model->plan;
  const cx_step *r = (const cx_step *)cx_at(model, plan->step_records) + index;
  cx_bound *step = &model->steps[index];
  if (r->kernel[CX_KERNEL_BYTES - 1] != 0 || !cx_is_text(model, r->layer)) {
    return cx_fail(error, COMPRESS_DAMAGED, "%.300s: is damaged: step %zu", model->name, index + 1);
  }
  step->record = r;
  step->kind = ck_step_kind_named(r->kernel);
  if (!step->kind) return wrong(model, index, r, "there is no such kernel", error);
  if (r->inputs > plan->operands || r->outputs > plan->operands || r->first_operand > plan->operands ||
      (uint64_t)r->inputs + r->outputs > plan->operands - r->first_operand || r->outputs < 1) {
    return wrong(model, index, r, "its list of operands", error);
  }
  if (!cx_is_list(model, r->struct_offset, r->struct_bytes, 1, 8)) return wrong(model, index, r, "its struct", error);
  const uint64_t size = model->file.size;
  if (r->constants % CX_ALIGNMENT != 0 || r->constants < model->head->head_bytes || r->constants > size ||
      r->constant_bytes > size - r->constants) {
    return wrong(model, index, r, "where its constants lie", error);
  }
  *constants += r->constant_bytes / most_shared;
  if (*constants > size) return wrong(model, index, r, "too many steps share their constants", error);
  step->inputs = operands + r->first_operand;
  step->outputs = step->inputs + r->inputs;
  step->step = cx_at(model, r->struct_offset);
  step->constants = cx_at(model, r->constants);
  step->is_constant = true;
  for (size_t i = 0; i < r->inputs; i++) {
    if (!n.known[step->inputs[i]]) return wrong(model, index, r, "it reads what no step before it has computed", error);
    step->is_constant &= n.constant[step->inputs[i]];
    n.room[i] = model->value_bytes[step->inputs[i]];
  }
  for (size_t i = 0; i < r->outputs; i++) {
    if (n.known[step->outputs[i]]) return wrong(model, index, r, "it computes what is there already", error);
    n.known[step->outputs[i]] = true;
    // What is the caller's memory is written in every call.
    step->is_constant &= !n.given[step->outputs[i]];
    n.room[r->inputs + i] = model->value_bytes[step->outputs[i]];
  }
  for (size_t i = 0; i < r->outputs; i++) n.constant[step->outputs[i]] = step->is_constant;
  const ck_operands of = {model->kernels, n.room, n.room + r->inputs, r->inputs, r->outputs, step->constants,
                          (size_t)r->constant_bytes};
  const char *what = ck_check_step(step->kind, step->step, r->struct_bytes, &of);
  return what ? wrong(model, index, r, what, error) : COMPRESS_OK;
}

static compress_status read_steps(compress_model *model, const uint32_t *operands, notes n, compress_error *error) {
  const cx_head *head = model->head;
  for (size_t i = 0; i < (size_t)head->inputs + head->outputs; i++) {
    const uint32_t value = model->ports[i];
    bool *taken = i < head->inputs ? n.known : n.given;
    if (model->value_bytes[value] != model->values[i].count * sizeof(float) || taken[value]) {
      return cx_fail(error, COMPRESS_DAMAGED, "%.300s: is damaged: the plan's %s \"%.100s\"", model->name,
                     i < head->inputs ? "input" : "output", model->values[i].name);
    }
    taken[value] = true;
  }
  for (size_t i = 0; i < head->outputs; i++) {
    if (n.known[model->ports[head->inputs + i]]) {
      return cx_fail(error, COMPRESS_DAMAGED, "%.300s: is damaged: an input is an output", model->name);
    }
  }
  uint64_t constants = 0;
  for (size_t i = 0; i < model->plan->steps; i++) {
    const compress_status status = read_step(model, i, operands, n, &constants, error);
    if (status != COMPRESS_OK) return status;
  }
  for (size_t i = 0; i < head->outputs; i++) {
    if (!n.known[model->ports[head->inputs + i]]) {
      return cx_fail(error, COMPRESS_DAMAGED, "%.300s: is damaged: no step computes output \"%.100s\"", model->name,
                     model->values[head->inputs + i].name);
    }
  }
  return COMPRESS_OK;
}

compress_status cx_read_plan(compress_model *model, compress_error *error) {
  const compress_status status = choose(model, error);
  if (status != COMPRESS_OK) return status;
  const cx_plan *p = model->plan;
  const size_t ports = (size_t)model->head->inputs + model->head->outputs;
  if (p->steps > most_steps || p->values > most_values || p->operands > most_operands ||
      !cx_is_list(model, p->step_records, p->steps, sizeof(cx_step), 8) ||
      !cx_is_list(model, p->value_bytes, p->values, sizeof(uint64_t), 8) ||
      !cx_is_list(model, p->port_list, ports, sizeof(uint32_t), 8) ||
      !cx_is_list(model, p->operand_list, p->operands, sizeof(uint32_t), 8)) {
    return cx_fail(error, COMPRESS_DAMAGED, "%.300s: is damaged: the lists of a plan", model->name);
  }
  model->value_bytes = cx_at(model, p->value_bytes);
  model->ports = cx_at(model, p->port_list);
  const uint32_t *operands = cx_at(model, p->operand_list);
  bool fits = true;
  for (size_t i = 0; i < p->values; i++) fits &= model->value_bytes[i] <= CK_MOST_SIZE;
  for (size_t i = 0; i < p->operands; i++) fits &= operands[i] < p->values;
  for (size_t i = 0; i < ports; i++) fits &= model->ports[i] < p->values;
  if (!fits) return cx_fail(error, COMPRESS_DAMAGED, "%.300s: is damaged: the values of a plan", model->name);

  model->steps = calloc((size_t)p->steps + 1, sizeof *model->steps);
  bool *flags = calloc((size_t)p->values * 3 + 1, sizeof *flags);
  size_t *room = calloc((size_t)p->operands + 1, sizeof *room);
  compress_status result = COMPRESS_SYSTEM;
  if (model->steps && flags && room) {
    result = read_steps(model, operands, (notes){flags, flags + p->values, flags + 2 * p->values, room}, error);
  } else {
    cx_fail(error, result, "%.300s: no memory", model->name);
  }
  free(flags);
  free(room);
  return result;
}
