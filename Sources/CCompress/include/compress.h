/* libcompress: runs networks that `compress` has compiled (docs/library.md).
 *
 *   compress convert net.cmpr net.cmpx          makes the file
 *
 *   compress_model *model = compress_open("net.cmpx", NULL);
 *   compress_session *session = compress_session_create(model, 1, 1, NULL);
 *   const float *inputs[] = {pixels};
 *   float *outputs[] = {scores};
 *   compress_run(session, inputs, outputs, 1, NULL);
 *
 * A model never changes: any number of threads may use one at once. A session is memory to run it in: each runs one
 * call at a time, and different sessions run at the same time. The library keeps nothing outside of these, prints
 * nothing, never ends the process, and allocates nothing in compress_run.
 *
 * A file may come from anyone: it is checked whole before anything of it runs, and what is wrong with it is an error.
 * It must not be changed while a model of it is open.
 */
#ifndef COMPRESS_H
#define COMPRESS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when something is added; what is there stays as it is. */
#define COMPRESS_API_VERSION 2

#if defined(__GNUC__)
#define COMPRESS_API __attribute__((visibility("default")))
#else
#define COMPRESS_API
#endif

typedef struct compress_model compress_model;
typedef struct compress_session compress_session;

typedef enum {
  COMPRESS_OK = 0,
  COMPRESS_SYSTEM = 1,        /* the system refuses: no such file, no memory, no more threads */
  COMPRESS_NO_PLAN = 2,       /* no compiled plan at all, but a model to compile or some other file */
  COMPRESS_OTHER_VERSION = 3, /* compiled for another version of this library: compile it again */
  COMPRESS_DAMAGED = 4,       /* incomplete, damaged, or not what a compiled plan can be */
  COMPRESS_OTHER_CPU = 5,     /* compiled for other processors: compile it for this one, too */
  COMPRESS_ARGUMENT = 6,      /* a call that makes no sense: the text says why */
  COMPRESS_BUSY = 7           /* the session is running another call */
} compress_status;

/* What went wrong; every function that takes one takes NULL as well. */
typedef struct {
  compress_status status;
  char text[500]; /* one line, without a line feed */
} compress_error;

/* An input or an output. Elements of a sample lie in row-major order, the channels of an image last. */
typedef struct {
  const char *name;    /* UTF-8, as all text here */
  const size_t *shape; /* of a sample */
  size_t axes;
  size_t count; /* elements of a sample: the product of the shape */
  /* How the file that the model came from calls it, and what its elements are there, "int8" for instance; NULL where it
   * came from none. Given and taken here are floats. */
  const char *file_name;
  const char *element;
  /* Whether the network holds it in 8 bits: then values are rounded to (q - zero_point) * scale, q from 0 to limit. */
  int is_quantized;
  float scale;
  int zero_point, limit;
} compress_value;

/* How a picture becomes the input. Its middle, a square of `crop` pixels out of its shorter side made `short_side`
 * pixels long, or where these are 0 the whole of it, is resized to height and width; bytes are divided by 255, and
 * then each channel is (pixel * scale - mean) / deviation. */
typedef struct {
  size_t short_side, crop;
  size_t height, width;
  size_t channels; /* 1: grey; 3: red, green and blue */
  float scale;
  float mean[3], deviation[3]; /* of each channel */
} compress_preprocessing;

/* The version of the library, COMPRESS_API_VERSION when it was built. */
COMPRESS_API int compress_api_version(void);

/* NULL when it cannot be opened. */
COMPRESS_API compress_model *compress_open(const char *path, compress_error *error);

/* The same of a file's bytes, which have to stay as they are until the model and its sessions are closed. They are
 * copied where they do not begin at a multiple of 64. */
COMPRESS_API compress_model *compress_open_memory(const void *bytes, size_t size, compress_error *error);

/* Sessions of it may go on. NULL is let pass. */
COMPRESS_API void compress_close(compress_model *model);

COMPRESS_API size_t compress_input_count(const compress_model *model);
COMPRESS_API size_t compress_output_count(const compress_model *model);
/* Valid until the model and its sessions are closed; NULL where there is none of that number. */
COMPRESS_API const compress_value *compress_input(const compress_model *model, size_t index);
COMPRESS_API const compress_value *compress_output(const compress_model *model, size_t index);

/* Names of the classes, one for each score of the first output; 0 and NULL where nobody said. */
COMPRESS_API size_t compress_class_count(const compress_model *model);
COMPRESS_API const char *compress_class_name(const compress_model *model, size_t index);

/* NULL where nobody said. */
COMPRESS_API const compress_preprocessing *compress_model_preprocessing(const compress_model *model);

/* What it runs with here, "avx2" for instance. */
COMPRESS_API const char *compress_instruction_set(const compress_model *model);

/* Bytes of memory that such a session takes; SIZE_MAX where it cannot be made. Whoever opens files of strangers asks
 * before making one. */
COMPRESS_API size_t compress_session_bytes(const compress_model *model, size_t threads, size_t most_samples);

/* A session that runs up to `most_samples` samples at once on so many threads, the calling one included; results are
 * the same for any number. NULL when it cannot be made. */
COMPRESS_API compress_session *compress_session_create(compress_model *model, size_t threads, size_t most_samples,
                                                       compress_error *error);

/* Runs 1 to `most_samples` samples: inputs[i] holds those of input i one after the other, outputs[i] has room for as
 * many results, and the caller keeps both. Their memory does not overlap. */
COMPRESS_API compress_status compress_run(compress_session *session, const float *const *inputs, float *const *outputs,
                                          size_t samples, compress_error *error);

COMPRESS_API void compress_session_close(compress_session *session);

/* Since version 2: where the time goes. A model runs in steps; each is of a layer, or of several that run as one, and by
 * a kernel, "f32_patches" for instance. Both texts are NULL where there is no step of that number. */
COMPRESS_API size_t compress_step_count(const compress_model *model);
COMPRESS_API const char *compress_step_layer(const compress_model *model, size_t index);
COMPRESS_API const char *compress_step_kernel(const compress_model *model, size_t index);

/* compress_run layer by layer, which adds to nanoseconds[i] what step i takes; to tell the time costs some 50 ns a step.
 * What depends on constants alone was computed when the session was made, and takes none. */
COMPRESS_API compress_status compress_run_timed(compress_session *session, const float *const *inputs,
                                                float *const *outputs, size_t samples, uint64_t *nanoseconds,
                                                compress_error *error);

#ifdef __cplusplus
}
#endif

#endif
