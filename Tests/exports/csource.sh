#!/bin/bash
# Networks written as C (docs/c-source.md): what they give beside what sessions give, on this machine, under qemu-arm
# and on a bare Cortex-M4 of qemu-system-arm; bytes of memory and code; instructions beside others' code.
#
#   Tests/exports/csource.sh [FILE.tflite...]  # takes the program in .build/release, or the one that PROGRAM names
#
# With files, those (MLPerf Tiny's are ad01_int8, kws_ref_model, pretrainedResnet_quant, vww_96_int8, from
# github.com/mlcommons/tiny); then networks of the zoo, quantized untrained. SAMPLES=100 of each. What is missing of
# compilers, emulators and packages of Python is skipped, and said. Ends with status 1 where results differ, or where a
# figure that the documentation states does not hold, and with 77 where there is no C compiler.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=${PROGRAM:-$here/../../.build/release/compress}
program=$(cd "$(dirname "$program")" && pwd)/$(basename "$program")
samples=${SAMPLES:-100}
failures=0

source "$here/../python.sh"

[ -x "$program" ] || skip "there is no $program; PROGRAM can name another one"
command -v gcc >/dev/null || skip "there is no gcc"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/compress-csource-XXXXXX")
trap 'rm -rf "$scratch"' EXIT

has() {
  command -v "$1" >/dev/null && return
  echo "SKIPPED: $2: there is no $1" >&2
  return 1
}
strict="-std=c99 -Wall -Wextra -Werror -pedantic"
fused=$(grep -qw fma /proc/cpuinfo && echo -mfma || true)
m4="-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard"
has arm-none-eabi-gcc "code for Cortex-M4" && bare=1 || bare=
[ -n "$bare" ] && has qemu-system-arm "a bare Cortex-M4" && board=1 || board=
has arm-linux-gnueabihf-gcc "ARM under Linux" && has qemu-arm "ARM under Linux" && linux=1 || linux=
has valgrind "counts of instructions" && counts=1 || counts=

fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

# What the header of a network says.
number() { sed -n "s/^#define [A-Z0-9_]*_$2 \([0-9]*\)$/\1/p" "$1.h"; }

# same NAME RESULT WHERE: whether a program's hash is the session's.
same() {
  if [ "$2" = "$3" ]; then echo "  $4: the session's bytes, $samples samples"; else fail "$1, $4: $2, not $3"; fi
}

counted() {
  PYTHONHASHSEED=0 valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 |
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

# instructions COMMAND…: of one run, from those of five and of one.
instructions() { echo $((($(counted "$@" 5) - $(counted "$@" 1)) / 4)); }

# network NAME OPTIONS…: writes it, runs it everywhere.
network() {
  local name=$1 expected flags found
  shift
  cd "$scratch"
  mkdir -p "$name"
  XDG_CACHE_HOME=$scratch/cache "$program" run "$here/csource.lua" --out "$name" --set "name=$name" \
    --set "samples=$samples" "$@" >"$name/log" 2>&1 || { cat "$name/log" >&2; fail "$name is not written"; return; }
  expected=$(grep -o 'hash [0-9a-f]*' "$name/log")
  cd "$name"
  echo "$name: RAM $(number "$name" ARENA_BYTES) B, constants $(number "$name" CONSTANT_BYTES) B," \
    "$(number "$name" MACS) MACs"
  flags="-I. -DNET=$name -DHEADER=\"$name.h\" -DSAMPLES=$samples"
  flags+=" -DINPUTS=$(number "$name" INPUT_COUNT) -DOUTPUTS=$(number "$name" OUTPUT_COUNT)"
  grep -q "_quantize_input" "$name.h" && flags+=" -DCODED_INPUT"
  grep -q "_dequantize_output" "$name.h" && flags+=" -DCODED_OUTPUT"
  gcc $strict -O2 $fused -c "$name.c" -o host.o || { fail "$name: gcc"; return; }
  gcc -std=c99 -O2 $fused $flags "$here/csource.c" host.o -o host -lm
  same "$name" "$(./host)" "$expected" "gcc, this machine"
  if [ -n "$linux" ]; then
    arm-linux-gnueabihf-gcc $strict -O2 -mfpu=vfpv4 -static $flags "$here/csource.c" "$name.c" -o arm -lm
    same "$name" "$(qemu-arm ./arm)" "$expected" "qemu-arm"
  fi
  if [ -n "$bare" ]; then
    arm-none-eabi-gcc $m4 $strict -Os -ffunction-sections -fstack-usage -c "$name.c" -o m4.o ||
      { fail "$name: arm-none-eabi-gcc"; return; }
    echo "  Cortex-M4 at -Os: code and constants $(arm-none-eabi-size m4.o | awk 'NR == 2 { print $1 }') B," \
      "deepest stack of one function $(awk -F'\t' '{ if ($2 > most) most = $2 } END { print most }' m4.su) B"
  fi
  if [ -n "$board" ]; then
    if arm-none-eabi-gcc $m4 -std=c99 -O2 $flags "$here/csource.c" "$here/csource-m4.c" m4.o \
      -nostartfiles -T "$here/csource-m4.ld" --specs=rdimon.specs -o m4.elf -lm 2>link.log; then
      found=$(timeout 3000 qemu-system-arm -M mps2-an386 -nographic -semihosting-config enable=on,target=native \
        -kernel m4.elf 2>&1 || true)
      same "$name" "$found" "$expected" "bare Cortex-M4"
    else
      cat link.log >&2
      fail "$name does not fit a mps2-an386"
    fi
  fi
}

# peers NAME FILE: instructions of an inference beside others' code for the same model.
peers() {
  [ -n "$counts" ] || return 0
  cd "$scratch/$1"
  local ours theirs
  gcc -std=c99 -O2 -I. -DNET="$1" "-DHEADER=\"$1.h\"" -DCOUNTED "$here/csource-count.c" "$1.c" -o count
  ours=$(instructions ./count)
  echo "  instructions of an inference, gcc -O2: $ours"
  [ -n "${python:-}" ] || return 0
  theirs=$(instructions "$python" "$here/csource_peer.py" "$2")
  echo "  TensorFlow Lite Micro: $theirs"
  [ $((3 * ours)) -le "$theirs" ] || fail "$1: not a third of TensorFlow Lite Micro's instructions"
  "$program" convert "$2" peer.onnx >/dev/null && "$python" -m emx_onnx_cgen compile peer.onnx peer.c >emx.log 2>&1 ||
    { echo "SKIPPED: emx-onnx-cgen makes nothing of $1" >&2; return 0; }
  gcc -w -O2 "-DINPUTS=$(number "$1" INPUT_COUNT)" "$here/csource-count.c" peer.c -o peer -lm
  theirs=$(instructions ./peer)
  echo "  emx-onnx-cgen, gcc -O2: $theirs"
  [ "$ours" -lt "$theirs" ] || fail "$1: more instructions than emx-onnx-cgen's code"
}

# most WORD LIMIT NAME: a figure of the documentation.
most() { [ "$(number "$scratch/$3/$3" "$1")" -le "$2" ] || fail "$3: more than $2 B of memory"; }

files=()
for file in "$@"; do files+=("$(realpath "$file")"); done
python=
if [ ${#files[@]} -gt 0 ] && [ -n "$counts" ]; then
  python=$( (python_with tflite_micro,emx_onnx_cgen tflite-micro emx-onnx-cgen numpy && echo "$python") || true)
  [ -n "$python" ] || echo "SKIPPED: instructions of others' code" >&2
fi
for file in "${files[@]}"; do
  name=$(basename "${file%.*}" | tr -c 'A-Za-z0-9\n' _)
  mkdir -p "$scratch/given"
  cp "$file" "$scratch/given/$name.tflite"
  network "$name" --data "$scratch/given" --set "file=$name.tflite"
  peers "$name" "$file"
  case $name in
    ad01_int8) most ARENA_BYTES 1000 "$name" ;;
    kws_ref_model) most ARENA_BYTES 9000 "$name" ;;
    pretrainedResnet_quant) most ARENA_BYTES 33590 "$name" ;;
    vww_96_int8) most ARENA_BYTES 46656 "$name" ;;
  esac
done
[ ${#files[@]} -gt 0 ] || for zoo in resnet8 ds_cnn mobilenet_v1 autoencoder; do network $zoo --set "zoo=$zoo"; done
# Within the 4 MB of memory of the board; the U-Net a fifth as wide, of smaller images.
network mobilenet_v3_small --set zoo=mobilenet_v3_small --set side=96
network unet --set zoo=unet --set width=0.2 --set side=64
[ $failures = 0 ] || { echo "$failures failures" >&2; exit 1; }
