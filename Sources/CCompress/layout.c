// The arena of a session, as Swift's StepMemory and ArenaPlan lay it out.
#include "model.h"

#include <stdlib.h>

// Bytes that are needed from one step to another.
typedef struct {
  uint64_t bytes, offset;
  size_t first, last;
} buffer;

static uint64_t plus(uint64_t a, uint64_t b) {
  uint64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}
static uint64_t aligned(uint64_t bytes) {
  return bytes > UINT64_MAX - CX_ALIGNMENT ? UINT64_MAX : (bytes + CX_ALIGNMENT - 1) / CX_ALIGNMENT * CX_ALIGNMENT;
}

static int by_size(const void *a, const void *b) {
  const buffer *x = *(buffer *const *)a, *y = *(buffer *const *)b;
  if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
  return x < y ? -1 : x > y;
}

// The largest first, each into the smallest gap it fits. `sorted` and `placed` have room for all.
static uint64_t place(buffer *buffers, size_t count, buffer **sorted, buffer **placed) {
  for (size_t i = 0; i < count; i++) sorted[i] = &buffers[i];
  qsort(sorted, count, sizeof *sorted, by_size);
  uint64_t end = 0;
  size_t done = 0;
  for (size_t i = 0; i < count && sorted[i]->bytes > 0; i++) {
    buffer *one = sorted[i];
    const uint64_t size = aligned(one->bytes);
    uint64_t cursor = 0, best = 0, best_gap = UINT64_MAX;
    bool is_found = false;
    for (size_t k = 0; k < done; k++) {
      const buffer *other = placed[k];
      if (other->first > one->last || one->first > other->last) continue;
      if (other->offset > cursor) {
        const uint64_t gap = other->offset - cursor;
        if (gap >= size && gap < best_gap) best = cursor, best_gap = gap, is_found = true;
      }
      const uint64_t behind = plus(other->offset, aligned(other->bytes));
      cursor = behind > cursor ? behind : cursor;
    }
    one->offset = is_found ? best : cursor;
    end = plus(one->offset, size) > end ? plus(one->offset, size) : end;
    size_t at = done++;
    for (; at > 0 && placed[at - 1]->offset > one->offset; at--) placed[at] = placed[at - 1];
    placed[at] = one;
  }
  return end;
}

enum { none = UINT32_MAX };

// The buffer whose place a step's result may take, or none.
static uint32_t reused(const compress_model *model, size_t index, uint32_t output, const size_t *last_read,
                       const uint32_t *buffer_of) {
  const cx_bound *step = &model->steps[index];
  if (!step->kind->works_in_place(step->step)) return none;
  for (size_t i = 0; i < step->record->inputs; i++) {
    const uint32_t input = step->inputs[i];
    if (buffer_of[input] != none && last_read[input] == index &&
        model->value_bytes[input] == model->value_bytes[output]) {
      return buffer_of[input];
    }
  }
  return none;
}

bool cx_layout_of(const compress_model *model, size_t samples, size_t threads, cx_layout *layout) {
  const size_t steps = model->plan->steps, values = model->plan->values, inputs = model->head->inputs;
  *layout = (cx_layout){calloc(values + 1, sizeof(uint64_t)), calloc(steps + 1, sizeof(uint64_t)), 0};
  buffer *buffers = calloc(values + steps + 1, sizeof *buffers);
  buffer **sorted = calloc(values + steps + 1, sizeof *sorted), **placed = calloc(values + steps + 1, sizeof *placed);
  size_t *last_read = calloc(values + 1, sizeof *last_read);
  uint32_t *buffer_of = calloc(values + 1, sizeof *buffer_of);
  bool *given = calloc(values + 1, sizeof *given);
  const bool fits = layout->places && layout->scratch && buffers && sorted && placed && last_read && buffer_of && given;
  size_t count = 0;
  for (size_t i = 0; fits && i < values; i++) buffer_of[i] = none;
  for (size_t i = 0; fits && i < model->head->outputs; i++) given[model->ports[inputs + i]] = true;
  for (size_t i = 0; fits && i < steps; i++) {
    for (size_t k = 0; k < model->steps[i].record->inputs; k++) last_read[model->steps[i].inputs[k]] = i;
  }
  for (size_t i = 0; fits && i < steps; i++) {
    const cx_bound *step = &model->steps[i];
    for (size_t k = 0; k < step->record->outputs; k++) {
      const uint32_t output = step->outputs[k];
      if (given[output]) continue;
      // What is computed once has to last.
      if (step->is_constant) last_read[output] = steps;
      const size_t last = last_read[output] > i ? last_read[output] : i;
      const uint32_t in_place = reused(model, i, output, last_read, buffer_of);
      if (in_place != none) {
        buffer_of[output] = in_place;
        buffers[in_place].last = last;
      } else {
        buffer_of[output] = (uint32_t)count;
        buffers[count++] = (buffer){model->value_bytes[output] * samples, 0, step->is_constant ? 0 : i, last};
      }
    }
  }
  const size_t of_values = count;
  for (size_t i = 0; fits && i < steps; i++) {
    const cx_bound *step = &model->steps[i];
    const size_t bytes = step->kind->scratch ? step->kind->scratch(step->step, samples, threads) : 0;
    buffers[count++] = (buffer){bytes, 0, i, i};
  }
  if (fits) {
    layout->bytes = place(buffers, count, sorted, placed);
    for (size_t i = 0; i < values; i++) {
      layout->places[i] = buffer_of[i] == none ? CX_CALLERS : buffers[buffer_of[i]].offset;
    }
    for (size_t i = 0; i < steps; i++) layout->scratch[i] = buffers[of_values + i].offset;
  }
  free(buffers);
  free(sorted);
  free(placed);
  free(last_read);
  free(buffer_of);
  free(given);
  if (!fits) cx_layout_free(layout);
  return fits;
}

void cx_layout_free(cx_layout *layout) {
  free(layout->places);
  free(layout->scratch);
  *layout = (cx_layout){0};
}
