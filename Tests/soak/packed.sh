#!/bin/sh
# A million damaged packed files, opened by Sources/CPacked under the address and undefined-behaviour sanitizers.
# COUNT=1000000 SEED=1 Tests/soak/packed.sh; exit status 77: there is no compiler with the sanitizers.
set -eu
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
compiler=""
for one in ${CC:-} gcc clang; do
  if echo 'int main(void) { return 0; }' | "$one" -x c -fsanitize=address,undefined - -o "$folder/try" 2>/dev/null &&
    "$folder/try" 2>/dev/null; then
    compiler=$one
    break
  fi
done
if [ -z "$compiler" ]; then
  echo "SKIPPED: a million damaged packed files: no compiler here has the sanitizers" >&2
  exit 77
fi
"$compiler" -std=c11 -O2 -g -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all \
  -ISources/CPacked/include Sources/CPacked/*.c Tests/soak/packed.c -o "$folder/packed"
"$folder/packed" "${COUNT:-1000000}" "${SEED:-1}"
