/* Tells which digit a picture shows: a binary PGM of 28x28 pixels on standard input. */
#include <stdio.h>

#define DIGITS_WITH_CLASSES
#include "digits.h"

int main(void) {
  static float pixels[DIGITS_INPUT_COUNT], scores[DIGITS_OUTPUT_COUNT];
  unsigned width, height;
  if (scanf("P5 %u %u 255", &width, &height) != 2 || width * height != DIGITS_INPUT_COUNT || getchar() == EOF) {
    fprintf(stderr, "no binary PGM of %d pixels\n", DIGITS_INPUT_COUNT);
    return 1;
  }
  for (int i = 0; i < DIGITS_INPUT_COUNT; i++) {
    const int byte = getchar();
    if (byte == EOF) return 1;
    pixels[i] = (float)byte / 255.0f;
  }
  digits_quantize_input(pixels, digits_input());
  digits_run(digits_input(), scores);
  int best = 0;
  for (int i = 1; i < DIGITS_OUTPUT_COUNT; i++) best = scores[i] > scores[best] ? i : best;
  printf("%s (%g)\n", digits_classes[best], scores[best]);
  return 0;
}
