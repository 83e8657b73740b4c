#!/bin/bash
# The example package that depends on the engine: built from this source tree by its path, and run on a picture. It takes
# minutes, most of them for the engine.
#
#   Tests/soak/swift-package.sh
#
# Ends with status 77 where what the engine depends on cannot be had.
set -euo pipefail
cd "$(dirname "$0")/../.."
swift=${SWIFT:-swift}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/compress-package-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
package=(--package-path examples/swift_package --scratch-path "$scratch/build")

# The same versions as the engine's own.
cp Package.resolved examples/swift_package/Package.resolved
trap 'rm -rf "$scratch" examples/swift_package/Package.resolved' EXIT
if ! "$swift" package "${package[@]}" resolve >"$scratch/resolve.log" 2>&1; then
  echo "SKIPPED: THE EXAMPLE PACKAGE WAS NOT BUILT: $(tail -1 "$scratch/resolve.log")" >&2
  exit 77
fi
"$swift" build -c release "${package[@]}" >"$scratch/build.log" 2>&1 || {
  grep -E "error:" "$scratch/build.log" | head -20 >&2
  exit 1
}
classify=$scratch/build/release/classify

# A stroke from top to bottom.
printf 'P5\n28 28\n255\n' >"$scratch/one.pgm"
for row in $(seq 0 27); do
  for column in $(seq 0 27); do
    if [ "$row" -ge 4 ] && [ "$row" -lt 24 ] && [ "$column" -ge 13 ] && [ "$column" -lt 16 ]; then printf '\377'; else printf '\0'; fi
  done
done >>"$scratch/one.pgm"
answer=$(XDG_CACHE_HOME=$scratch/cache "$classify" "$scratch/one.pgm")
[ "$answer" = 1 ] || { echo "FAILED: a stroke from top to bottom is \"$answer\"" >&2; exit 1; }
if "$classify" "$scratch/one.pgm" "$scratch/one.pgm" 2>"$scratch/error.txt"; then echo "FAILED: a picture was taken for a model" >&2; exit 1; fi
grep -q "one.pgm" "$scratch/error.txt" || { cat "$scratch/error.txt" >&2; exit 1; }
echo "the example package builds, and tells the digit: $answer"
