#!/bin/bash
# The NEON kernels against the scalar reference on a machine that is no ARM: cross-compiled at -O2 by Debian's compiler,
# and by clang where it finds that compiler's libraries, and run by qemu's emulation of the CPU.
#
#   Tests/KernelChecks/neon.sh
#
# Without gcc-aarch64-linux-gnu, libc6-dev-arm64-cross or qemu-user it says so and ends with status 77: nothing was
# checked. On ARM itself `swift test` runs the same checks.
set -euo pipefail
cd "$(dirname "$0")/../.."

skip() {
  echo "SKIPPED: THE NEON KERNELS WERE NOT RUN: $*" >&2
  exit 77
}

[ "$(uname -m)" != aarch64 ] || skip "this machine is an ARM, where swift test runs them"
command -v aarch64-linux-gnu-gcc >/dev/null || skip "there is no aarch64-linux-gnu-gcc (package gcc-aarch64-linux-gnu)"
command -v qemu-aarch64 >/dev/null || skip "there is no qemu-aarch64 (package qemu-user)"
[ -e /usr/aarch64-linux-gnu/include/stdio.h ] || skip "there is no libc for it (package libc6-dev-arm64-cross)"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/compress-neon-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
checks=Tests/KernelChecks kernels=Sources/CKernels
sources=("$checks"/*.c "$kernels"/*.c "$kernels"/*/*.c)
options=(-O2 -std=c11 -Wall -Wextra -Werror -static -I "$checks/include" -I "$kernels/include")

# GCC knows neither clang's pragmas nor the standard's about contraction.
aarch64-linux-gnu-gcc "${options[@]}" -ffp-contract=off -Wno-unknown-pragmas "${sources[@]}" -lm -lpthread \
  -o "$scratch/gcc"
echo "compiled by GCC: $(qemu-aarch64 "$scratch/gcc" neon)"

clang=(clang --target=aarch64-linux-gnu -fuse-ld=lld)
echo 'int main(void) { return 0; }' >"$scratch/empty.c"
if "${clang[@]}" -static "$scratch/empty.c" -o "$scratch/empty" 2>"$scratch/clang.log"; then
  "${clang[@]}" "${options[@]}" "${sources[@]}" -lm -lpthread -o "$scratch/clang"
  echo "compiled by clang: $(qemu-aarch64 "$scratch/clang" neon)"
else
  echo "SKIPPED: clang cannot link for ARM here, only GCC's build was run: $(tail -1 "$scratch/clang.log")" >&2
fi
