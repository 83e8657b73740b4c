// The table of kernels, and the choice among its rows for a CPU that is given as a value.
#include "kernel.h"

#define AVX2 (ck_has_avx2 | ck_has_fma | ck_has_f16c)
#define AVX512 \
  (AVX2 | ck_has_avx512f | ck_has_avx512bw | ck_has_avx512vl | ck_has_avx512dq | ck_has_avx512vnni)
#define BF16 ck_has_avx512bf16
#define NEON ck_has_neon

// What is in this build: rows for another architecture stay, without their functions.
#define BUILT_scalar(...) __VA_ARGS__
#if defined(__x86_64__)
#define BUILT_avx2(...) __VA_ARGS__
#define BUILT_avx512(...) __VA_ARGS__
#else
#define BUILT_avx2(...)
#define BUILT_avx512(...)
#endif
#if defined(__aarch64__)
#define BUILT_neon(...) __VA_ARGS__
#else
#define BUILT_neon(...)
#endif

#define TILE(...) {__VA_ARGS__}
#define NO_TILE {0}
#define FUNCTION(function, suffix) .function = ck_##function##_##suffix,
#define ROW(name, set, suffix, features, size)                                                   \
  {.family = ck_family_##name, .isa = ck_##set, .needs = features, .tile = size,                 \
   .functions = {BUILT_##set(CK_##name(FUNCTION, suffix))}},
static const ck_row rows[] = {
#include "rows.inc.h"
};
#undef ROW
enum { row_count = sizeof rows / sizeof rows[0] };

const ck_row *ck_rows(size_t *count) {
  *count = row_count;
  return rows;
}

bool ck_row_is_built(const ck_row *row) {
#define IS_THERE(function, with) || row->functions.function
  return false CK_FUNCTIONS(IS_THERE, );
#undef IS_THERE
}

const char *ck_family_name(ck_family family) {
#define NAME(name) #name,
  static const char *const names[] = {CK_FAMILIES(NAME)};
#undef NAME
  return names[family];
}

const char *const *ck_function_names(size_t *count) {
#define NAME(function, with) #function,
  static const char *const names[] = {CK_FUNCTIONS(NAME, )};
#undef NAME
  *count = sizeof names / sizeof names[0];
  return names;
}

const char *ck_isa_name(ck_isa isa) {
  static const char *const names[CK_ISA_COUNT] = {"scalar", "avx2", "avx512vnni", "neon"};
  return names[isa];
}

ck_features ck_isa_needs(ck_isa isa) {
  static const ck_features needs[CK_ISA_COUNT] = {0, AVX2, AVX512, NEON};
  return needs[isa];
}

bool ck_isa_runs(ck_isa isa, ck_features features) { return (ck_isa_needs(isa) & ~features) == 0; }

static void take(const ck_row *row, ck_kernels *kernels) {
  kernels->rows[row->family] = row;
#define TAKE(function, with) \
  if (row->functions.function) kernels->function = row->functions.function;
  CK_FUNCTIONS(TAKE, )
#undef TAKE
}

static void take_all(ck_isa isa, ck_features features, ck_kernels *kernels) {
  for (size_t i = 0; i < row_count; i++) {
    if (rows[i].isa == isa && (rows[i].needs & ~features) == 0) take(&rows[i], kernels);
  }
}

static void name_tiles(ck_kernels *kernels) {
  kernels->f32_tile = kernels->rows[ck_family_f32_products]->tile;
  kernels->bf16_tile = kernels->rows[ck_family_bf16_products]->tile;
  kernels->u8_tile = kernels->rows[ck_family_u8s8_products]->tile;
  kernels->quads_tile = kernels->rows[ck_family_u8s8_quads]->tile;
}

bool ck_select(ck_isa isa, ck_features features, ck_kernels *kernels) {
  if (!ck_isa_runs(isa, features)) return false;
  *kernels = (ck_kernels){.isa = isa, .name = ck_isa_name(isa)};
  take_all(ck_scalar, features, kernels);
  take_all(isa, features, kernels);
  name_tiles(kernels);
  return true;
}

bool ck_isa_stands_in(ck_isa isa) {
  for (size_t i = 0; i < row_count; i++) {
    if (rows[i].isa == isa && ck_row_is_built(&rows[i])) return false;
  }
  return true;
}

void ck_select_row(const ck_row *row, ck_kernels *kernels) {
  ck_select(ck_scalar, 0, kernels);
  kernels->isa = row->isa;
  kernels->name = ck_isa_name(row->isa);
  take(row, kernels);
  name_tiles(kernels);
}
