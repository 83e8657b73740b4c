/* So many inferences, for counting their instructions: of a network written as C (COUNTED), or of emx-onnx-cgen's code
   for the same one, which takes floats. */
#include <stdio.h>
#include <stdlib.h>

#ifdef COUNTED
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#include HEADER

int main(int argc, char **argv) {
  const int runs = argc > 1 ? atoi(argv[1]) : 1;
  for (int i = 0; i < runs; i++) JOIN(NET, _run)(JOIN(NET, _input)(), (void *)JOIN(NET, _output)());
  return 0;
}
#else
void model(int batch, const float *in, float *out);

int main(int argc, char **argv) {
  const int runs = argc > 1 ? atoi(argv[1]) : 1;
  static float in[INPUTS], out[1 << 16];
  for (long i = 0; i < INPUTS; i++) in[i] = (float)(i * 37 % 255 - 128);
  for (int i = 0; i < runs; i++) model(1, in, out);
  return 0;
}
#endif
