// Products with sparse weights, and the transposition of what they read and yield; vectors run along the outputs.
#include "names.h"

#define UNROLL _Pragma("clang loop unroll(full)")

// Some filters of a run at once, `joint` of them, each with so many vectors of outputs: one filter's few vectors would
// wait for their last sums. Sums begin with the
// filter's `start`, or with zero, where `starts`; where not, with what is there.
#define SOME_FILTERS(NAME, VECTOR, SUM, WEIGHT, FACTOR, SET, LOAD, STORE, PRODUCT, WORDS)                     \
  INLINE void NAME##_some(const size_t joint, const size_t vectors, const uint16_t *filter, const uint8_t *row,\
                          const WEIGHT *value, size_t nonzeros, const FACTOR *strip, const SUM *start,        \
                          const bool starts, SUM *sums) {                                                     \
    VECTOR sum[4][CK_STRIP / LANES];                                                                          \
    const size_t width = vectors * LANES;                                                                     \
    UNROLL for (size_t j = 0; j < joint; j++) {                                                               \
      const SUM *from = sums + (size_t)filter[j] * width;                                                     \
      const VECTOR first = SET(start ? start[filter[j]] : 0);                                                 \
      UNROLL for (size_t v = 0; v < vectors; v++) sum[j][v] = starts ? first : LOAD(from + v * LANES);        \
    }                                                                                                         \
    for (size_t n = 0; n < nonzeros; n++) {                                                                   \
      /* Several filters' weights are as many streams, which the hardware does not follow for long. */        \
      if (joint > 1) __builtin_prefetch((const char *)(value + joint * (nonzeros + n)) + 2048);               \
      UNROLL for (size_t j = 0; j < joint; j++) {                                                             \
        const VECTOR weight = SET(value[j * nonzeros + n]);                                                   \
        const FACTOR *from = strip + (size_t)row[j * nonzeros + n] * width * WORDS;                           \
        UNROLL for (size_t v = 0; v < vectors; v++) {                                                         \
          sum[j][v] = PRODUCT(sum[j][v], LOAD(from + v * LANES * WORDS), weight);                             \
        }                                                                                                     \
      }                                                                                                       \
    }                                                                                                         \
    UNROLL for (size_t j = 0; j < joint; j++) {                                                               \
      SUM *to = sums + (size_t)filter[j] * width;                                                             \
      UNROLL for (size_t v = 0; v < vectors; v++) STORE(to + v * LANES, sum[j][v]);                           \
    }                                                                                                         \
  }                                                                                                           \
                                                                                                              \
  INLINE void NAME##_filters(const size_t vectors, const ck_sparse_block *block, const FACTOR *strip,         \
                             const SUM *start, const bool starts, SUM *sums) {                                \
    const size_t joint = vectors == 1 ? 4 : vectors == 2 ? 2 : 1;                                             \
    const uint16_t *filter = block->filters;                                                                  \
    const uint8_t *row = block->rows;                                                                         \
    const WEIGHT *value = block->values;                                                                      \
    for (const ck_sparse_run *run = block->runs, *end = run + block->run_count; run < end; run++) {           \
      const size_t nonzeros = run->nonzeros;                                                                  \
      size_t left = run->filters;                                                                             \
      TAKE(NAME, joint)                                                                                       \
      if (joint > 2) TAKE(NAME, 2)                                                                            \
      if (joint > 1) TAKE(NAME, 1)                                                                            \
    }                                                                                                         \
  }

// As many of a run's filters as there are, so many at once.
#define TAKE(NAME, count)                                                                                     \
  for (; left >= (count); left -= (count)) {                                                                  \
    NAME##_some(count, vectors, filter, row, value, nonzeros, strip, start, starts, sums);                    \
    filter += (count);                                                                                        \
    row += (count) * nonzeros;                                                                                \
    value += (count) * nonzeros;                                                                              \
  }

#define FUSED(sum, x, weight) vf_fma(weight, x, sum)
SOME_FILTERS(f32, vf, float, float, float, vf_set, vf_load, vf_store, FUSED, 1)
SOME_FILTERS(u8s8, vi, int32_t, int32_t, uint8_t, vi_set, vi_load, vi_store, vi_dot_4, 4)

#define SIXTEENS(filters, ...)                           \
  switch (sixteens) {                                    \
    case 1: filters(16 / LANES, __VA_ARGS__); break;     \
    case 2: filters(32 / LANES, __VA_ARGS__); break;     \
    case 3: filters(48 / LANES, __VA_ARGS__); break;     \
    default: filters(64 / LANES, __VA_ARGS__);           \
  }

CK_ENTRY void KERNEL(f32_sparse)(const ck_sparse_block *block, size_t sixteens, const float *strip, const float *start,
                                 float *sums) {
  if (start) {
    SIXTEENS(f32_filters, block, strip, start, true, sums)
  } else {
    SIXTEENS(f32_filters, block, strip, NULL, false, sums)
  }
}

CK_ENTRY void KERNEL(u8s8_sparse)(const ck_sparse_block *block, size_t sixteens, const uint8_t *strip, bool starts,
                                  int32_t *sums) {
  if (starts) {
    SIXTEENS(u8s8_filters, block, strip, NULL, true, sums)
  } else {
    SIXTEENS(u8s8_filters, block, strip, NULL, false, sums)
  }
}

#ifndef HAS_CODES_OF_4
// The codes of LANES sums of each of up to four rows, those of the first row lowest in each lane.
INLINE vi codes_of_4(size_t rows, size_t column, const int32_t *const *in, const ck_requantization *to) {
  const vf zero = vf_set((float)to->zero_point), low = vf_set((float)to->lo), high = vf_set((float)to->hi);
  vi codes = vi_set(0);
  UNROLL for (size_t i = 0; i < 4; i++) {
    if (i >= rows) return codes;
    const vf sum = vf_from_vi(vi_add(vi_load(in[i] + column), vi_set(to->bias[i])));
    const vf q = vf_add(vf_round(vf_mul(sum, vf_set(to->scale[i]))), zero);
    codes = vi_or(codes, vi_shift_left(vi_from_vf(vf_min(high, vf_max(low, q))), (int)(8 * i)));
  }
  return codes;
}
#endif

#define CLAMPED(x) (clamps ? vf_min(high, vf_max(low, x)) : (x))

INLINE void transposed(size_t rows, size_t columns, const void *const *in, float *out, size_t pitch, const bool clamps,
                       vf low, vf high) {
  for (size_t r = 0; r < rows; r += LANES) {
    const size_t height = lanes_left(rows - r);
    for (size_t c = 0; c < columns; c += LANES) {
      const size_t width = lanes_left(columns - c);
      float *to = out + c * pitch + r;
      vf x[LANES];
      if (height == LANES && width == LANES) {
        UNROLL for (size_t i = 0; i < LANES; i++) x[i] = vf_load((const float *)in[r + i] + c);
        v_transpose(x);
        UNROLL for (size_t i = 0; i < LANES; i++) vf_store(to + i * pitch, CLAMPED(x[i]));
      } else {
        UNROLL for (size_t i = 0; i < LANES; i++) {
          x[i] = i < height ? vf_load_n((const float *)in[r + i] + c, width) : vf_set(0);
        }
        v_transpose(x);
        UNROLL for (size_t i = 0; i < LANES; i++) {
          if (i < width) vf_store_n(to + i * pitch, CLAMPED(x[i]), height);
        }
      }
    }
  }
}

CK_ENTRY void KERNEL(transpose)(size_t rows, size_t columns, const void *const *in, void *out, size_t pitch) {
  transposed(rows, columns, in, out, pitch, false, vf_set(0), vf_set(0));
}

CK_ENTRY void KERNEL(f32_transpose_clamp)(size_t rows, size_t columns, const float *const *in, float lo, float hi,
                                          float *out, size_t pitch) {
  transposed(rows, columns, (const void *const *)in, out, pitch, true, vf_set(lo), vf_set(hi));
}

// Bytes [0, n) of the vectors' lanes, n not above theirs.
INLINE void store_bytes(uint8_t *p, vf v, size_t n) {
  if (n == 4 * LANES) {
    vf_store((float *)p, v);
    return;
  }
  uint8_t bytes[4 * LANES];
  vf_store((float *)bytes, v);
  __builtin_memcpy(p, bytes, n);
}

INLINE void transposed_codes(const size_t rows, size_t columns, const int32_t *const *in, const ck_requantization *to,
                             uint8_t *out, size_t pitch) {
  for (size_t c = 0; c < columns; c += LANES) {
    vf x[LANES];
    UNROLL for (size_t i = 0; i < LANES; i++) {
      if (4 * i >= rows) {
        x[i] = vf_set(0);
        continue;
      }
      const ck_requantization four = {to->bias + 4 * i, to->scale + 4 * i, to->zero_point, to->lo, to->hi};
      x[i] = vf_of_bits(codes_of_4(rows - 4 * i, c, in + 4 * i, &four));
    }
    v_transpose(x);
    UNROLL for (size_t i = 0; i < LANES; i++) {
      if (c + i < columns) store_bytes(out + (c + i) * pitch, x[i], rows);
    }
  }
}

CK_ENTRY void KERNEL(i32_transpose_codes)(size_t rows, size_t columns, const int32_t *const *in,
                                          const ck_requantization *to, uint8_t *out, size_t pitch) {
  for (size_t r = 0; r < rows; r += 4 * LANES) {
    const ck_requantization part = {to->bias + r, to->scale + r, to->zero_point, to->lo, to->hi};
    if (rows - r >= 4 * LANES) transposed_codes(4 * LANES, columns, in + r, &part, out + r, pitch);
    else transposed_codes(rows - r, columns, in + r, &part, out + r, pitch);
  }
}
