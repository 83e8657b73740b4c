/* Tells which class a picture shows: classify MODEL.cmpx, a binary PGM or PPM on standard input that has the size of the
 * network's input. */
#include <compress.h>

#include <stdio.h>
#include <stdlib.h>

static int failed(const char *what) {
  fprintf(stderr, "%s\n", what);
  return 1;
}

int main(int count, char **arguments) {
  compress_error error;
  if (count != 2) return failed("usage: classify MODEL.cmpx < PICTURE");
  compress_model *model = compress_open(arguments[1], &error);
  if (!model) return failed(error.text);
  if (compress_input_count(model) != 1) return failed("the network takes more than a picture");
  const compress_value *in = compress_input(model, 0), *out = compress_output(model, 0);
  if (in->axes != 3) return failed("the network takes no picture");

  char kind;
  size_t width, height;
  const size_t channels = in->shape[2];
  if (scanf("P%c %zu %zu 255", &kind, &width, &height) != 3 || getchar() == EOF || height != in->shape[0] ||
      width != in->shape[1] || channels != (kind == '6' ? 3 : kind == '5' ? 1 : 0)) {
    fprintf(stderr, "no binary %s of %zux%zu pixels\n", channels == 3 ? "PPM" : "PGM", in->shape[1], in->shape[0]);
    return 1;
  }
  float *pixels = malloc(in->count * sizeof *pixels), *scores = malloc(out->count * sizeof *scores);
  if (!pixels || !scores) return failed("no memory");
  /* Where the file says nothing, pixels are numbers from 0 to 1. */
  const compress_preprocessing *p = compress_model_preprocessing(model);
  for (size_t i = 0; i < in->count; i++) {
    const int byte = getchar();
    if (byte == EOF) return failed("the picture is cut short");
    pixels[i] = (float)byte / 255;
    if (p) pixels[i] = (pixels[i] * p->scale - p->mean[i % channels]) / p->deviation[i % channels];
  }

  compress_session *session = compress_session_create(model, 1, 1, &error);
  if (!session) return failed(error.text);
  const float *inputs[] = {pixels};
  float *outputs[] = {scores};
  if (compress_run(session, inputs, outputs, 1, &error) != COMPRESS_OK) return failed(error.text);
  size_t best = 0;
  for (size_t i = 1; i < out->count; i++) best = scores[i] > scores[best] ? i : best;
  const char *name = compress_class_name(model, best);
  if (name) printf("%s (%g)\n", name, scores[best]);
  else printf("class %zu (%g)\n", best, scores[best]);

  compress_session_close(session);
  compress_close(model);
  free(pixels);
  free(scores);
  return 0;
}
