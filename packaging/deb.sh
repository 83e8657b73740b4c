#!/bin/sh
# A Debian package of the program as it was built: `make deb`.
#
#   PROGRAM=.build/release/compress packaging/deb.sh FOLDER     # FOLDER/compress_VERSION_ARCHITECTURE.deb
#
# Takes dpkg-dev and a program with Swift's libraries in it, as `make build` makes it. What it depends on is what it is
# linked with here, so that the package is for this release of Debian and later ones. The same program gives the same
# bytes. MAINTAINER names who answers for the package, if not who made the last commit.
set -eu
umask 022
cd "$(dirname "$0")/.."
program=${PROGRAM:-.build/release/compress}
out=${1:?usage: packaging/deb.sh FOLDER}

fail() {
  echo "$*" >&2
  exit 1
}

for tool in dpkg-deb dpkg-shlibdeps dpkg-architecture; do
  command -v "$tool" >/dev/null || fail "there is no $tool: install the package dpkg-dev"
done
[ -x "$program" ] || fail "there is no $program yet: \`make build\` makes it"
! ldd "$program" | grep -q libswift ||
  fail "$program needs Swift's libraries where it runs: \`make build\` makes one that has them in it"

stage=$(mktemp -d "${TMPDIR:-/tmp}/compress-deb-XXXXXX")
trap 'rm -rf "$stage"' EXIT
# Where dpkg-shlibdeps expects a package.
root=$stage/debian/compress
PROGRAM=$program PREFIX=/usr DESTDIR=$root ZSHDIR=share/zsh/vendor-completions packaging/install.sh install >/dev/null

version=$("$program" --version)
architecture=$(dpkg-architecture -q DEB_HOST_ARCH)
maintainer=${MAINTAINER:-$(git log -1 --format='%an <%ae>' 2>/dev/null || true)}
[ -n "$maintainer" ] || fail "nobody answers for the package: MAINTAINER='NAME <ADDRESS>' make deb"
# The time of the last change, so that a package built again is the same.
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
export SOURCE_DATE_EPOCH="$epoch"

# Licences and changes have their own form in a Debian package.
doc=$root/usr/share/doc/compress
rm "$doc/LICENSE"
cp packaging/copyright "$doc/copyright"
mv "$doc/CHANGELOG.md" "$doc/NEWS.md"
cat >"$doc/changelog" <<CHANGES
compress ($version) unstable; urgency=medium

  * Version $version; what is new is in NEWS.md.

 -- $maintainer  $(date -R -u -d "@$epoch")
CHANGES
gzip -9n "$doc/changelog" "$doc/NEWS.md" "$root/usr/share/man/man1/compress.1"

# The libraries it is linked with, as the packages' own lists say.
mkdir "$root/DEBIAN"
printf 'Source: compress\n\nPackage: compress\nArchitecture: any\n' >"$stage/debian/control"
depends=$(cd "$stage" && dpkg-shlibdeps -O debian/compress/usr/bin/compress debian/compress/usr/libexec/compress/compress-hdf5 |
  sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || fail "dpkg-shlibdeps names no library that $program is linked with"

cat >"$root/DEBIAN/control" <<CONTROL
Package: compress
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -sk --apparent-size "$root/usr" | cut -f1)
Depends: $depends
Recommends: ca-certificates, libjs-chart.js
Conflicts: ncompress
Section: science
Priority: optional
Description: prunes, quantizes, trains and measures neural networks
 Makes neural networks small and fast. A Lua script says what is to happen to a
 model; out comes a pruned or quantized one, with the proof: accuracy, size,
 latency and memory, beside what there was. Reads and writes ONNX and TFLite
 files, reads Keras's and PyTorch's, and runs them all by itself, on the CPU.
 .
 The command has the name of another one, compress(1) of the package ncompress,
 so that only one of them can be installed.
CONTROL
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
find "$root" -exec touch -h -d "@$epoch" {} +

mkdir -p "$out"
file=$out/compress_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$file" >/dev/null
echo "$file"
