// A compiled plan as a file: docs/compiled-plan.md. Numbers are little-endian, floats IEEE 754; the records here lie in
// the file as they are in memory, without gaps.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CX_VERSION 1
#define CX_MAGIC {0x89, 'C', 'M', 'X', '\r', '\n', 0x1A, '\n'}
#define CX_MOST_AXES 8
#define CX_KERNEL_BYTES 24
// Constants begin at multiples of it.
#define CX_ALIGNMENT 64

// UTF-8 with a zero byte behind it, which is not counted. Empty where there is none. Offsets count from the file's
// first byte.
typedef struct {
  uint32_t offset, bytes;
} cx_text;

typedef struct {
  uint8_t magic[8];
  uint32_t version, steps_version;
  uint32_t head_checksum;       // of what is behind it in the head
  uint32_t constants_checksum;  // of what is behind the head
  uint64_t file_bytes, head_bytes;
  uint32_t inputs, outputs, classes, plans;
  uint32_t value_records, class_records, plan_records, preprocessing_record;  // offsets; the last 0 where there is none
} cx_head;

typedef struct {
  cx_text name, file_name, element;
  uint32_t axes, is_quantized;
  float scale;
  int32_t zero_point, limit;
  uint32_t zero;
  uint64_t shape[CX_MOST_AXES];
} cx_value;

typedef struct {
  uint32_t short_side, crop, height, width, channels;
  float scale, mean[3], deviation[3];
} cx_preprocessing;

// Values are numbered; a plan has a list of the bytes of a sample of each, one of which are the inputs and then the
// outputs, and one of the steps' operands.
typedef struct {
  uint32_t isa;  // 0 scalar, 1 AVX2, 2 AVX-512 with VNNI, 3 NEON
  uint32_t steps, values, operands;
  uint64_t second_level_bytes;  // of the cache it was made for
  uint32_t step_records, value_bytes, port_list, operand_list;  // offsets
} cx_plan;

typedef struct {
  char kernel[CX_KERNEL_BYTES];  // filled up with zeros
  cx_text layer;
  uint32_t first_operand, inputs, outputs;  // its inputs, then its outputs
  uint32_t struct_bytes, struct_offset, zero;
  uint64_t constants, constant_bytes;
} cx_step;

// zlib's CRC-32, going on from the one of what stands before.
uint32_t cx_crc32(uint32_t before, const void *bytes, size_t size);

#ifdef __cplusplus
}
#endif
