// A convolution or dense layer of uint8 activations with int8 weights, as a product of the matrix of patches with
// packed weights, group by group. The sums are exact, so their order is nobody's concern.
#pragma once
#include "../ck-geometry.h"
#include "../ck-integer-output.h"
#include "../ck-panels.h"
#include "../ck-step.h"

typedef struct {
  ck_geometry geometry;
  ck_tile tile;  // that the weights are packed for
  ck_cut_limits limits;
  size_t group_bytes;  // from one group's panels to the next; the first are at the beginning of the constants
  // Where weights come in quads (see ck_u8s8_quads_fn): a uint32_t for each panel of all groups and one more, its first
  // quad, and one for each quad, which activations it meets. Panels are whole tiles wide then. 0: weights are in panels
  // as ck_u8s8_gemm_fn reads them.
  size_t first_quads, places;
  ck_integer_output output;
} ck_u8s8_patches;

// Bytes of one group's panels: in groups of four k, zeros filling the last.
size_t ck_u8s8_panel_bytes(ck_panels panels);
// Where a panel begins.
size_t ck_u8s8_panel_start(ck_panels panels, size_t panel);

// inputs: images, and their quantizations where each has one of its own; outputs: images of uint8 or float32.
void ck_run_u8s8_patches(const void *step, const ck_kernels *kernels, const ck_call *call);
ck_check ck_check_u8s8_patches;
// The same, whoever the quantizations of the images come from.
const char *ck_check_patch_weights(const ck_u8s8_patches *step, const ck_operands *of);
size_t ck_scratch_u8s8_patches(const void *step, size_t batch, size_t threads);
