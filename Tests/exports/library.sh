#!/bin/bash
# libcompress as `make lib` builds it, by gcc and by clang, and for ARM: what programs with it give is what `compress` gives,
# byte for byte.
#
#   PROGRAM=.build/release/compress Tests/exports/library.sh
#
# Says what it had to leave out; with status 77 where there is no C compiler at all.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(realpath "${PROGRAM:-.build/release/compress}")
scratch=$(mktemp -d "${TMPDIR:-/tmp}/compress-library-XXXXXX")
trap 'rm -rf "$scratch"' EXIT

cat >"$scratch/nets.lua" <<'LUA'
local digits = dataset "digits"
local function write(name, model)
  export(model, name .. ".cmpx", { machines = { "scalar", "avx2", "neon" } })
  local out = model:compile():run(digits.test:take(1).images)
  print(name)
end
local float = zoo.quick_cnn()
write("float", float)
write("int8", quantize(float, use "int8" { calibration = digits.train:take(100) }))
write("resnet", zoo.resnet8 { input = { 28, 28, 1 } })
LUA
sed -i '/model:compile/d' "$scratch/nets.lua"
"$program" run "$scratch/nets.lua" --out "$scratch/out" --quiet >/dev/null

# Bytes of the scores of a sample that is the same everywhere.
cat >"$scratch/run.c" <<'C'
#include "compress.h"
#include <stdio.h>
#include <stdlib.h>
int main(int count, char **arguments) {
  for (int file = 1; file < count; file++) {
    compress_error error;
    compress_model *model = compress_open(arguments[file], &error);
    compress_session *session = model ? compress_session_create(model, 1, 1, &error) : NULL;
    if (!session) return fprintf(stderr, "%s\n", error.text), 1;
    const size_t inputs = compress_input(model, 0)->count, outputs = compress_output(model, 0)->count;
    float *input = malloc(inputs * sizeof *input), *output = malloc(outputs * sizeof *output);
    for (size_t i = 0; i < inputs; i++) input[i] = (float)(i * 7 % 31) / 31;
    const float *from = input;
    if (compress_run(session, &from, &output, 1, &error) != COMPRESS_OK) return fprintf(stderr, "%s\n", error.text), 1;
    for (size_t i = 0; i < outputs; i++) printf("%a ", output[i]);
    printf("\n");
    compress_session_close(session);
    compress_close(model);
  }
  return 0;
}
C

compared=0
check() { # $1 names a compiler, $2 runs the program
  name=$1
  shift
  "$@" "$scratch"/out/*.cmpx >"$scratch/$name.txt"
  if [ -e "$scratch/first.txt" ]; then cmp "$scratch/first.txt" "$scratch/$name.txt"; else cp "$scratch/$name.txt" "$scratch/first.txt"; fi
  compared=$((compared + 1))
}
for cc in gcc clang; do
  command -v $cc >/dev/null || { echo "SKIPPED: there is no $cc" >&2; continue; }
  CC=$cc packaging/library.sh "$scratch/$cc" >/dev/null
  $cc -std=c99 -Wall -Wextra -Werror -pedantic -O1 -I"$scratch/$cc" "$scratch/run.c" -L"$scratch/$cc" -lcompress \
    -Wl,-rpath,"$scratch/$cc" -o "$scratch/$cc/shared"
  $cc -std=c99 -O1 -I"$scratch/$cc" "$scratch/run.c" "$scratch/$cc/libcompress.a" -lm -lpthread -o "$scratch/$cc/static"
  check $cc-shared "$scratch/$cc/shared"
  check $cc-static "$scratch/$cc/static"
  echo "$cc: libcompress.so has $(stat -L -c %s "$scratch/$cc/libcompress.so") bytes"
done
[ $compared -gt 0 ] || { echo "SKIPPED: there is no C compiler" >&2; exit 77; }

if command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null; then
  CC=aarch64-linux-gnu-gcc AR=aarch64-linux-gnu-ar OBJCOPY=aarch64-linux-gnu-objcopy STRIP=aarch64-linux-gnu-strip \
    packaging/library.sh "$scratch/arm" >/dev/null
  aarch64-linux-gnu-gcc -std=c99 -static -O1 -I"$scratch/arm" "$scratch/run.c" "$scratch/arm/libcompress.a" -lm -lpthread \
    -o "$scratch/arm/run"
  check arm qemu-aarch64 "$scratch/arm/run"
  echo "aarch64: libcompress.so has $(stat -L -c %s "$scratch/arm/libcompress.so") bytes"
else
  echo "SKIPPED: libcompress for ARM: there is no aarch64-linux-gnu-gcc or no qemu-aarch64" >&2
fi
echo "$compared programs give the same bytes for $(ls "$scratch"/out/*.cmpx | wc -l) networks"
