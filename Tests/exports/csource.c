/* Runs a network that was written as C on samples that are drawn as csource.lua draws them, and prints what all results
   come to: Tests/exports/csource.sh. NET is the network's prefix, SAMPLES their number. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define NAME(what) JOIN(NET, what)

#include HEADER

static float numbers[INPUTS], results[OUTPUTS];
static uint32_t state = 1, hash = 2166136261u;

static void once(void) {
  for (long i = 0; i < INPUTS; i++) {
    state = state * 1664525u + 1013904223u;
    numbers[i] = ((float)(state >> 24) - 128.0f) / 64.0f;
  }
#ifdef CODED_INPUT
  NAME(_quantize_input)(numbers, NAME(_input)());
#else
  memcpy(NAME(_input)(), numbers, sizeof numbers);
#endif
  NAME(_run)(NAME(_input)(), (void *)NAME(_output)());
#ifdef CODED_OUTPUT
  NAME(_dequantize_output)(NAME(_output)(), results);
#else
  memcpy(results, NAME(_output)(), sizeof results);
#endif
}

int main(void) {
  for (int sample = 0; sample < SAMPLES; sample++) {
    once();
    for (long i = 0; i < OUTPUTS; i++) {
      unsigned char bytes[4];
      if (results[i] == 0.0f) results[i] = 0.0f;
      memcpy(bytes, &results[i], 4);
      for (int k = 0; k < 4; k++) hash = (hash ^ bytes[k]) * 16777619u;
    }
  }
  printf("hash %08lx\n", (unsigned long)hash);
  return 0;
}
