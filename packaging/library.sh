#!/bin/sh
# libcompress out of its sources, with a C compiler alone: `make lib`.
#
#   CC=clang packaging/library.sh FOLDER     # libcompress.so.1, libcompress.so, libcompress.a, compress.pc, compress.h
#
# For another machine: CC=aarch64-linux-gnu-gcc AR=aarch64-linux-gnu-ar OBJCOPY=aarch64-linux-gnu-objcopy
# STRIP=aarch64-linux-gnu-strip. PREFIX is where it will be installed, which compress.pc says. CFLAGS are added.
#
# Beside it compress-runner-MACHINE, linked statically, which `compress bench --on` copies to other machines; RUNNERS=all:
# for x86_64 and aarch64, where their compilers are there.
set -eu
umask 022
cd "$(dirname "$0")/.."
out=${1:?usage: packaging/library.sh FOLDER}
cc=${CC:-cc}
ar=${AR:-ar}
objcopy=${OBJCOPY:-objcopy}
strip=${STRIP:-strip}
prefix=${PREFIX:-/usr/local}
major=1
version=$major.$(sed -n 's/^#define COMPRESS_API_VERSION //p' Sources/CCompress/include/compress.h).0

mkdir -p "$out/objects"
rm -f "$out"/objects/*.o
# Products and sums are rounded one by one unless a kernel says fused: contraction would give other bits.
options="-std=c11 -O2 -fPIC -fvisibility=hidden -ffp-contract=off -ffunction-sections -Wall -Wextra -Wno-unknown-pragmas
  -ISources/CKernels/include -ISources/CCompress/include ${CFLAGS:-}"
find Sources/CKernels Sources/CCompress -name '*.c' | LC_ALL=C sort |
  xargs -P "$(getconf _NPROCESSORS_ONLN)" -I{} sh -c \
    "file={}; $cc $(echo "$options" | tr '\n' ' ') -c \"\$file\" -o \"$out/objects/\$(echo \"\$file\" | tr / -).o\""

# Nothing but the header's functions can be seen from outside.
printf 'COMPRESS_%s { global: compress_*; local: *; };\n' "$major" >"$out/objects/symbols.map"
$cc ${LDFLAGS:-} -shared -Wl,-soname,libcompress.so.$major -Wl,--version-script="$out/objects/symbols.map" -Wl,--gc-sections \
  -Wl,-z,defs -o "$out/libcompress.so.$version" "$out"/objects/*.o -lm -lpthread
$strip --strip-unneeded "$out/libcompress.so.$version"
ln -sf libcompress.so.$version "$out/libcompress.so.$major"
ln -sf libcompress.so.$major "$out/libcompress.so"

# One object, so that its inner names meet none of the program's.
rm -f "$out/libcompress.a"
$cc -r -nostdlib -o "$out/objects/whole.lib" "$out"/objects/*.o
$objcopy --localize-hidden "$out/objects/whole.lib" "$out/objects/libcompress.lib"
mv "$out/objects/libcompress.lib" "$out/libcompress.lib.o"
$ar rcs "$out/libcompress.a" "$out/libcompress.lib.o"
rm "$out/libcompress.lib.o"

cp Sources/CCompress/include/compress.h "$out/compress.h"
cat >"$out/compress.pc" <<PC
prefix=$prefix
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: compress
Description: runs networks that compress has compiled
Version: $version
Libs: -L\${libdir} -lcompress
Libs.private: -lm -lpthread
Cflags: -I\${includedir}
PC
rm -r "$out/objects"

machine=$($cc -dumpmachine | cut -d- -f1)
runner=$out/compress-runner-$machine
rm -f "$runner"
if $cc -std=c11 -O2 -Wall -Wextra -static -ISources/CCompress/include ${CFLAGS:-} ${LDFLAGS:-} Sources/compress-runner/*.c \
  "$out/libcompress.a" -lm -lpthread -o "$runner" 2>"$runner.log"; then
  $strip "$runner"
else
  echo "left out: compress-runner-$machine, which is linked statically: $(tail -1 "$runner.log")" >&2
fi
rm -f "$runner.log"
for other in x86_64 aarch64; do
  [ "${RUNNERS:-}" = all ] && [ "$other" != "$machine" ] || continue
  if command -v $other-linux-gnu-gcc >/dev/null; then
    RUNNERS= CFLAGS= LDFLAGS= CC=$other-linux-gnu-gcc AR=$other-linux-gnu-ar OBJCOPY=$other-linux-gnu-objcopy \
      STRIP=$other-linux-gnu-strip packaging/library.sh "$out/other" >/dev/null
    mv "$out/other/compress-runner-$other" "$out"
    rm -r "$out/other"
  else
    echo "left out: compress-runner-$other, which takes $other-linux-gnu-gcc" >&2
  fi
done
echo "$out/libcompress.so.$version"
