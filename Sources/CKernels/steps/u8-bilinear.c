#include "codes.h"
#include "check.h"

#include "steps/u8-bilinear.h"

typedef struct {
  const ck_u8_bilinear *step;
  const ck_call *call;
} job;

static void row(void *context, size_t index, size_t worker) {
  (void)worker;
  const job *j = context;
  const ck_u8_bilinear *s = j->step;
  const size_t sample = index / s->out_height, y = index % s->out_height, line = s->in_width * s->channels;
  const ck_integer_tap *rows = j->call->constants, *columns = rows + s->out_height;
  const uint8_t *image = (const uint8_t *)j->call->inputs[0] + sample * s->in_height * line;
  const uint8_t *upper = image + rows[y].first * line, *lower = image + rows[y].second * line;
  uint8_t *out = (uint8_t *)j->call->outputs[0] + index * s->out_width * s->channels;
  const ck_code_range range = ck_codes(s->zero_point, s->limit);
  const int32_t down = rows[y].weight, up = CK_TAP_ONE - down, zero = s->zero * CK_TAP_ONE * CK_TAP_ONE;
  for (size_t x = 0; x < s->out_width; x++, out += s->channels) {
    const size_t left = columns[x].first * s->channels, right = columns[x].second * s->channels;
    const int32_t after = columns[x].weight, before = CK_TAP_ONE - after;
    for (size_t c = 0; c < s->channels; c++) {
      const int32_t top = upper[left + c] * before + upper[right + c] * after;
      const int32_t bottom = lower[left + c] * before + lower[right + c] * after;
      out[c] = ck_code((float)(top * up + bottom * down - zero) * s->scale, range);
    }
  }
}

void ck_run_u8_bilinear(const void *step, const ck_kernels *kernels, const ck_call *call) {
  (void)kernels;
  const ck_u8_bilinear *s = step;
  job j = {s, call};
  const size_t rows = call->batch * s->out_height;
  ck_share(call->workers, 4 * rows * s->out_width * s->channels, rows, row, &j);
}

const char *ck_check_u8_bilinear(const void *step, const ck_operands *of) {
  const ck_u8_bilinear *s = step;
  if (!ck_maps(of, ck_times_3(s->in_height, s->in_width, s->channels),
               ck_times_3(s->out_height, s->out_width, s->channels))) {
    return CK_OTHER_SIZES;
  }
  if (!ck_holds(of, 0, ck_plus(s->out_height, s->out_width), sizeof(ck_integer_tap))) return CK_BEYOND_CONSTANTS;
  const ck_integer_tap *taps = of->constants;
  for (size_t i = 0; i < s->out_height + s->out_width; i++) {
    const size_t extent = i < s->out_height ? s->in_height : s->in_width;
    if (taps[i].first >= extent || taps[i].second >= extent) return CK_BAD_INDEX;
    if (taps[i].weight < 0 || taps[i].weight > CK_TAP_ONE) return CK_SUMS_OVERFLOW;
  }
  return NULL;
}
