// Included once per element type T: the patch matrix of a sliding window (see ck-window.h).
// Along x inside the image, a patch is a few runs of `run` elements; short runs get a loop of their own,
// for a layer with one input channel spends its time here.

static inline __attribute__((always_inline)) void NAME(copy_patches)(
    size_t count, size_t run, size_t runs_y, size_t runs_x, size_t step_y, size_t step_x, size_t step,
    const T *from, T *to, size_t to_step_y, size_t ld) {
  for (size_t i = 0; i < count; i++, from += step, to += ld) {
    for (size_t y = 0; y < runs_y; y++) {
      for (size_t x = 0; x < runs_x; x++) {
        __builtin_memcpy(to + y * to_step_y + x * run, from + y * step_y + x * step_x, run * sizeof(T));
      }
    }
  }
}

static inline void NAME(fill)(T *to, size_t count, T value) {
  for (size_t i = 0; i < count; i++) to[i] = value;
}

// One patch, any of whose columns may lie outside. x is the leftmost column, kernel rows ky0..ky1 are inside.
static void NAME(edge_patch)(const ck_window *w, const T *image, size_t channels, ptrdiff_t y, ptrdiff_t x,
                             size_t ky0, size_t ky1, T pad, T *to) {
  for (size_t ky = ky0; ky < ky1; ky++) {
    size_t row = (size_t)(y + (ptrdiff_t)(ky * w->dilation_h)) * w->width;
    T *line = to + ky * w->kernel_w * channels;
    for (size_t kx = 0; kx < w->kernel_w; kx++, line += channels) {
      ptrdiff_t column = x + (ptrdiff_t)(kx * w->dilation_w);
      if (column < 0 || column >= (ptrdiff_t)w->width) {
        NAME(fill)(line, channels, pad);
      } else {
        __builtin_memcpy(line, image + (row + (size_t)column) * w->channels, channels * sizeof(T));
      }
    }
  }
}

void NAME(im2col)(const ck_window *w, const T *images, size_t channel0, size_t channels, size_t row0,
                  size_t rows, T pad, T *out, size_t ld) {
  const size_t image_size = w->height * w->width * w->channels;
  const size_t line = w->kernel_w * channels;  // patch columns of one kernel row
  const bool joined = w->dilation_w == 1 && channels == w->channels;
  const size_t run = joined ? line : channels;
  const size_t runs_x = joined ? 1 : w->kernel_w;
  const ptrdiff_t reach = (ptrdiff_t)((w->kernel_w - 1) * w->dilation_w);
  while (rows > 0) {
    const size_t ox = row0 % w->out_width;
    const size_t oy = row0 / w->out_width % w->out_height;
    const T *image = images + row0 / w->out_width / w->out_height * image_size + channel0;
    const size_t count = rows < w->out_width - ox ? rows : w->out_width - ox;
    const ptrdiff_t y = (ptrdiff_t)(oy * w->stride_h) - (ptrdiff_t)w->pad_top;

    // Kernel rows above and below the image.
    size_t ky0 = 0, ky1 = w->kernel_h;
    while (ky0 < ky1 && y + (ptrdiff_t)(ky0 * w->dilation_h) < 0) ky0++;
    while (ky1 > ky0 && y + (ptrdiff_t)((ky1 - 1) * w->dilation_h) >= (ptrdiff_t)w->height) ky1--;
    if (ky0 > 0 || ky1 < w->kernel_h) {
      for (size_t i = 0; i < count; i++) {
        NAME(fill)(out + i * ld, ky0 * line, pad);
        NAME(fill)(out + i * ld + ky1 * line, (w->kernel_h - ky1) * line, pad);
      }
    }

    size_t i = 0;
    while (i < count) {
      const ptrdiff_t x = (ptrdiff_t)((ox + i) * w->stride_w) - (ptrdiff_t)w->pad_left;
      size_t inner = 0;  // outputs from here whose windows lie inside
      if (x >= 0 && x + reach < (ptrdiff_t)w->width) {
        inner = ((size_t)((ptrdiff_t)w->width - 1 - reach - x)) / w->stride_w + 1;
        if (inner > count - i) inner = count - i;
      }
      if (inner == 0) {
        NAME(edge_patch)(w, image, channels, y, x, ky0, ky1, pad, out + i * ld);
        i++;
        continue;
      }
      if (ky1 > ky0) {
        const size_t top = (size_t)(y + (ptrdiff_t)(ky0 * w->dilation_h));
        const T *from = image + (top * w->width + (size_t)x) * w->channels;
        T *to = out + i * ld + ky0 * line;
        const size_t step_y = w->dilation_h * w->width * w->channels, step_x = w->dilation_w * w->channels;
        const size_t step = w->stride_w * w->channels;
        // With all counts known, the three runs of a 3x3 kernel become a few moves without a loop.
#define RUN(n)                                                                                                 \
  case n:                                                                                                      \
    if (joined && ky1 - ky0 == 3) NAME(copy_patches)(inner, n, 3, 1, step_y, 0, step, from, to, n, ld);        \
    else NAME(copy_patches)(inner, n, ky1 - ky0, runs_x, step_y, step_x, step, from, to, line, ld);            \
    break;
        switch (run) {
          RUN(1) RUN(2) RUN(3) RUN(4) RUN(5) RUN(6) RUN(7) RUN(8) RUN(9) RUN(12) RUN(15) RUN(16) RUN(21) RUN(24) RUN(32)
          default: NAME(copy_patches)(inner, run, ky1 - ky0, runs_x, step_y, step_x, step, from, to, line, ld);
        }
#undef RUN
      }
      i += inner;
    }
    out += count * ld;
    row0 += count;
    rows -= count;
  }
}
