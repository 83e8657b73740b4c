// Every kernel there is, a row for each file; table.c includes this twice. Of two rows for a family and a set, the
// later one is taken where the CPU has what it needs.
//
//  family            set     suffix  needs          tile
ROW(f32_products,     scalar, scalar, 0,             TILE(.rows = 4, .columns = 8, .lanes = 1))
ROW(f32_products,     avx2,   avx2,   AVX2,          TILE(.rows = 6, .columns = 16, .lanes = 8))
ROW(f32_products,     avx512, avx512, AVX512,        TILE(.rows = 14, .columns = 32, .lanes = 16))
ROW(f32_products,     neon,   neon,   NEON,          TILE(.rows = 8, .columns = 8, .lanes = 4))

ROW(bf16_products,    scalar, scalar, 0,             TILE(.rows = 4, .columns = 8, .lanes = 1))
ROW(bf16_products,    avx512, avx512, AVX512 | BF16, TILE(.rows = 14, .columns = 32, .lanes = 16))

ROW(u8s8_products,    scalar, scalar, 0,             TILE(.rows = 4, .columns = 8, .lanes = 1))
ROW(u8s8_products,    avx2,   avx2,   AVX2,          TILE(.rows = 2, .columns = 16, .lanes = 8))
ROW(u8s8_products,    avx512, avx512, AVX512,        TILE(.rows = 14, .columns = 32, .lanes = 16))
ROW(u8s8_products,    neon,   neon,   NEON,          TILE(.rows = 4, .columns = 8, .lanes = 4))

ROW(u8s8_quads,       scalar, scalar, 0,             NO_TILE)
ROW(u8s8_quads,       avx2,   avx2,   AVX2,          TILE(.rows = 6, .columns = 16, .lanes = 8))

ROW(f32_depthwise,    scalar, scalar, 0,             NO_TILE)
ROW(f32_depthwise,    avx2,   avx2,   AVX2,          NO_TILE)
ROW(f32_depthwise,    avx512, avx512, AVX512,        NO_TILE)
ROW(f32_depthwise,    neon,   neon,   NEON,          NO_TILE)

ROW(u8s8_depthwise,   scalar, scalar, 0,             NO_TILE)
ROW(u8s8_depthwise,   avx2,   avx2,   AVX2,          NO_TILE)
ROW(u8s8_depthwise,   avx512, avx512, AVX512,        NO_TILE)
ROW(u8s8_depthwise,   neon,   neon,   NEON,          NO_TILE)

ROW(integer_sums,     scalar, scalar, 0,             NO_TILE)
ROW(integer_sums,     avx2,   avx2,   AVX2,          NO_TILE)
ROW(integer_sums,     avx512, avx512, AVX512,        NO_TILE)
ROW(integer_sums,     neon,   neon,   NEON,          NO_TILE)

ROW(winograd,         scalar, scalar, 0,             NO_TILE)
ROW(winograd,         avx2,   avx2,   AVX2,          NO_TILE)
ROW(winograd,         avx512, avx512, AVX512,        NO_TILE)
ROW(winograd,         neon,   neon,   NEON,          NO_TILE)

ROW(sparse,           scalar, scalar, 0,             NO_TILE)
ROW(sparse,           avx2,   avx2,   AVX2,          NO_TILE)
ROW(sparse,           avx512, avx512, AVX512,        NO_TILE)
ROW(sparse,           neon,   neon,   NEON,          NO_TILE)

ROW(pooling,          scalar, scalar, 0,             NO_TILE)
ROW(pooling,          avx2,   avx2,   AVX2,          NO_TILE)
ROW(pooling,          avx512, avx512, AVX512,        NO_TILE)
ROW(pooling,          neon,   neon,   NEON,          NO_TILE)

ROW(normalization,    scalar, scalar, 0,             NO_TILE)
ROW(normalization,    avx2,   avx2,   AVX2,          NO_TILE)
ROW(normalization,    avx512, avx512, AVX512,        NO_TILE)
ROW(normalization,    neon,   neon,   NEON,          NO_TILE)

ROW(elementwise,      scalar, scalar, 0,             NO_TILE)
ROW(elementwise,      avx2,   avx2,   AVX2,          NO_TILE)
ROW(elementwise,      avx512, avx512, AVX512,        NO_TILE)
ROW(elementwise,      neon,   neon,   NEON,          NO_TILE)

ROW(smooth,           scalar, scalar, 0,             NO_TILE)
ROW(smooth,           avx2,   avx2,   AVX2,          NO_TILE)
ROW(smooth,           avx512, avx512, AVX512,        NO_TILE)
ROW(smooth,           neon,   neon,   NEON,          NO_TILE)

ROW(pairs,            scalar, scalar, 0,             NO_TILE)
ROW(pairs,            avx2,   avx2,   AVX2,          NO_TILE)
ROW(pairs,            avx512, avx512, AVX512,        NO_TILE)
ROW(pairs,            neon,   neon,   NEON,          NO_TILE)
