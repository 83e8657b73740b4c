// Sums of outer products over the pixels of images, a tile of at most GEMM_ROWS x (2 LANES) at a time.

// `whole`: n is all of the vectors' lanes.
INLINE void pixels_tile(const size_t m, const size_t vectors, const bool whole, size_t n, const ck_pixels *pixels,
                        const float *a, const float *b, float *c, size_t ldc) {
  vf acc[GEMM_ROWS][2];
  const size_t last = whole ? LANES : n - (vectors - 1) * LANES;
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) acc[r][0] = acc[r][1] = vf_set(0);
  for (size_t i = 0; i < pixels->images; i++) {
    for (size_t y = 0; y < pixels->rows; y++) {
      const float *x = a + i * pixels->a_image + y * pixels->a_row;
      const float *z = b + i * pixels->b_image + y * pixels->b_row;
      for (size_t p = 0; p < pixels->columns; p++, x += pixels->a_column, z += pixels->b_column) {
        vf w[2];
#pragma clang loop unroll(full)
        for (size_t v = 0; v < vectors; v++) w[v] = vf_load_n(z + v * LANES, v + 1 == vectors ? last : LANES);
#pragma clang loop unroll(full)
        for (size_t r = 0; r < m; r++) {
          const vf s = vf_set(x[r]);
#pragma clang loop unroll(full)
          for (size_t v = 0; v < vectors; v++) acc[r][v] = vf_fma(s, w[v], acc[r][v]);
        }
      }
    }
  }
#pragma clang loop unroll(full)
  for (size_t r = 0; r < m; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) {
      float *to = c + r * ldc + v * LANES;
      const size_t lanes = v + 1 == vectors ? last : LANES;
      vf_store_n(to, vf_add(vf_load_n(to, lanes), acc[r][v]), lanes);
    }
  }
}

CK_ENTRY void KERNEL(f32_gemm_pixels)(size_t m, size_t n, const ck_pixels *pixels, const float *a, const float *b,
                                      float *c, size_t ldc) {
#define ROWS(i)                                                              \
  case i:                                                                    \
    if (n == 2 * LANES) pixels_tile(i, 2, true, n, pixels, a, b, c, ldc);    \
    else if (n > LANES) pixels_tile(i, 2, false, n, pixels, a, b, c, ldc);   \
    else pixels_tile(i, 1, false, n, pixels, a, b, c, ldc);                  \
    break;
  switch (m) {
    ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6)
#if GEMM_ROWS > 6
    ROWS(7) ROWS(8)
#endif
#if GEMM_ROWS > 8
    ROWS(9) ROWS(10) ROWS(11) ROWS(12) ROWS(13) ROWS(14)
#endif
  }
#undef ROWS
}
