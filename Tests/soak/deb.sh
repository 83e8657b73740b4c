#!/usr/bin/env bash
# The Debian package: built twice to the same bytes, without an error of lintian's, installed by dpkg as on anybody's
# machine, used, and removed without a trace.
#
#   PROGRAM=.build/release/compress Tests/soak/deb.sh
#
# dpkg installs into this machine's own system seen through an overlay, in a mount namespace: nothing here is touched, and
# the program meets the libraries and the package database of a real machine. That takes root. Ends with status 77 where
# something could not be checked, and says what.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${PROGRAM:-.build/release/compress}
status=0

# What is left out is said; the rest goes on.
left_out() {
  echo "SKIPPED: $*" >&2
  status=77
}

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

for tool in dpkg-deb dpkg-shlibdeps; do
  command -v "$tool" >/dev/null || { left_out "NOTHING WAS CHECKED: there is no $tool"; exit 77; }
done
scratch=$(mktemp -d "${TMPDIR:-/tmp}/compress-package-XXXXXX")
trap 'rm -rf "$scratch"' EXIT

package=$(PROGRAM=$program packaging/deb.sh "$scratch/once" | tail -1)
again=$(PROGRAM=$program packaging/deb.sh "$scratch/again" | tail -1)
cmp "$package" "$again" || fail "the same program makes two different packages"
echo "built: ${package##*/}, $(stat -c %s "$package") bytes, twice the same"

# What is in it is what its list says, and nothing is writable for others.
dpkg-deb -x "$package" "$scratch/root"
dpkg-deb -e "$package" "$scratch/control"
(cd "$scratch/root" && md5sum --quiet -c "$scratch/control/md5sums") || fail "files are not as md5sums says"
files=$(cd "$scratch/root" && find . -type f | wc -l)
[ "$files" = "$(wc -l <"$scratch/control/md5sums")" ] || fail "md5sums does not name each of $files files"
[ -z "$(find "$scratch/root" -perm /022)" ] || fail "others may write: $(find "$scratch/root" -perm /022 | head -3)"
gzip -t "$scratch/root/usr/share/man/man1/compress.1.gz"

if command -v lintian >/dev/null; then
  lintian --allow-root --fail-on error "$package" || fail "lintian finds errors"
  echo "lintian: no errors"
else
  left_out "lintian: it is not installed"
fi

# As root, with the machine below as it is.
if [ "$(id -u)" != 0 ]; then
  left_out "dpkg -i and dpkg -r: only root can install packages"
  exit "$status"
fi
mkdir "$scratch/layers"
cat >"$scratch/install.sh" <<'INSIDE'
set -euo pipefail
layers=$1 package=$2 fixtures=$3
# An overlay cannot lie on another one: its changes are kept in memory.
mount -t tmpfs tmpfs "$layers" || exit 77
mkdir "$layers/upper" "$layers/work" "$layers/system"
mount -t overlay overlay -o "lowerdir=/,upperdir=$layers/upper,workdir=$layers/work" "$layers/system" || exit 77
system=$layers/system
for folder in dev proc; do mount --rbind "/$folder" "$system/$folder"; done
mkdir -p "$system/mnt/check"
mount -t tmpfs tmpfs "$system/mnt/check"
cp "$package" "$system/mnt/check/package.deb"
cp "$fixtures/sequential.keras" "$system/mnt/check"

inside() { chroot "$system" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/mnt/check LC_ALL=C.UTF-8 "$@"; }

# Everything where packages put files, but for what dpkg and man write about all of them.
listing() {
  inside find /etc /opt /srv /usr /var -xdev \( -path /var/tmp -o -path /var/lib/dpkg -o -path /var/log \
    -o -path /var/cache \) -prune -o -printf '%p %y %m %l\n' | sort
}

inside dpkg-query -W -f '${Status}\n' compress 2>/dev/null | grep -q ' installed' &&
  { echo "the package is installed on this machine already" >&2; exit 77; }
listing >"$layers/before"
if ! inside dpkg -i /mnt/check/package.deb >"$layers/dpkg.log" 2>&1; then
  cat "$layers/dpkg.log" >&2
  # Libraries that are missing here, or the other compress, say nothing about the package.
  grep -qE 'dependency problems|conflicting packages' "$layers/dpkg.log" && exit 77
  exit 1
fi
inside dpkg --verify compress
version=$(inside compress --version)
[ "$version" = "$(inside dpkg-query -W -f '${Version}' compress)" ] || { echo "version $version" >&2; exit 1; }
# Every library is there, the other program is found, and the manual.
inside compress inspect /mnt/check/sequential.keras | grep -q scores || { echo "no Keras file is read" >&2; exit 1; }
inside sh -c 'cd /mnt/check && compress new pipeline mine && compress check mine.lua' >/dev/null
inside grep -q '"/usr/share/compress/meta"' /mnt/check/.luarc.json
inside sh -c '! command -v man >/dev/null || man -w compress >/dev/null'
inside test "$(inside sh -c 'command -v compress')" = /usr/bin/compress

for removal in -r -P; do
  inside dpkg "$removal" compress >>"$layers/dpkg.log" 2>&1
  listing >"$layers/after"
  diff "$layers/before" "$layers/after" >&2 || { echo "dpkg $removal leaves something behind" >&2; exit 1; }
done
! inside dpkg-query -W compress >/dev/null 2>&1 || { echo "dpkg still knows the package" >&2; exit 1; }
INSIDE
outcome=0
unshare --mount --propagation private bash "$scratch/install.sh" "$scratch/layers" "$package" \
  "$PWD/Tests/Fixtures" || outcome=$?
case $outcome in
0) echo "installed by dpkg, used, removed without a trace" ;;
77) left_out "dpkg -i and dpkg -r: no overlay of this machine's system can be mounted, or a library is missing here" ;;
*) fail "dpkg -i, use or dpkg -r" ;;
esac
exit "$status"
