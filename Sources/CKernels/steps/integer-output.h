// From exact sums to what an integer convolution yields.
#pragma once
#include "../scalar/arithmetic.h"
#include "step.h"

#include "ck-integer-output.h"

// The quantizations of the images of a call, and how far apart they are: 0 where all have the same.
typedef struct {
  const ck_quantization *first;
  size_t step;
} ck_image_quantizations;

static inline ck_image_quantizations ck_quantizations_of(const ck_integer_output *output, const ck_call *call) {
  if (output->per_image) return (ck_image_quantizations){call->inputs[1], 1};
  return (ck_image_quantizations){&output->input, 0};
}

static inline ck_requantization ck_requantization_of(const ck_integer_output *o, const ck_call *call, size_t channel) {
  return (ck_requantization){(const int32_t *)ck_constant(call, o->bias) + channel,
                             (const float *)ck_constant(call, o->scales) + channel, o->zero_point, o->lo, o->hi};
}

// Whether sums have to be seen before they are what the step yields.
static inline bool ck_keeps_sums(const ck_integer_output *o) { return o->to_floats || o->weight_zero_points != 0; }

// The sums of some output pixels, counted over the batch, and some output channels become the step's result. Weights'
// zero points have been taken out of them.
static inline void ck_give_sums(const ck_integer_output *o, const ck_kernels *kernels, const ck_call *call,
                                const int32_t *sums, size_t ld, size_t row, size_t end, size_t channel, size_t count,
                                size_t pixels, size_t channels) {
  if (!o->to_floats) {
    const ck_requantization to = ck_requantization_of(o, call, channel);
    uint8_t *out = (uint8_t *)call->outputs[0] + row * channels + channel;
    for (; row < end; row++, sums += ld, out += channels) {
      for (size_t c = 0; c < count; c++) {
        out[c] = ck_to_u8((float)(sums[c] + to.bias[c]) * to.scale[c], to.zero_point, to.lo, to.hi);
      }
    }
    return;
  }
  const ck_image_quantizations images = ck_quantizations_of(o, call);
  const float *scales = (const float *)ck_constant(call, o->scales) + channel;
  const float *bias = (const float *)ck_constant(call, o->bias) + channel;
  const int32_t *weight_sums = (const int32_t *)ck_constant(call, o->weight_sums) + channel;
  float *out = (float *)call->outputs[0] + channel;
  while (row < end) {
    const size_t image = row / pixels, next = ck_min((image + 1) * pixels, end);
    const ck_quantization *input = images.first + image * images.step;
    kernels->i32_dequantize(next - row, count, sums, ld, input->zero_point, weight_sums, input->scale, scales, bias,
                            o->low, o->high, out + row * channels, channels);
    sums += (next - row) * ld;
    row = next;
  }
}
