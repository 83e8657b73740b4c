#include "kernel.h"

#include "ck-quantization.h"

#include <float.h>

ck_quantization ck_quantization_covering(float least, float greatest) {
  const float low = least < 0 ? least : 0, high = greatest > 0 ? greatest : 0;
  const float scale = high / 255 - low / 255;
  if (!(scale >= FLT_MIN * 255 && scale <= FLT_MAX)) return (ck_quantization){1, 0, 255};
  const float zero = __builtin_rintf(-low / scale);
  return (ck_quantization){scale, (uint8_t)(zero < 255 ? zero : 255), 255};
}
