#!/bin/sh
# libcompress under the sanitizers: a million damaged compiled plans, opened and run, and eight sessions from eight threads
# for a minute each under the thread and the address sanitizer.
#
#   SEEDS=FOLDER COUNT=1000000 SEED=1 SECONDS_EACH=60 Tests/soak/library.sh
#
# SEEDS holds compiled plans, as CompiledPlansTests writes them when COMPRESS_SEEDS names a folder. Exit status 77: there
# is no compiler with the sanitizers.
set -eu
cd "$(dirname "$0")/../.."
seeds=${SEEDS:?SEEDS=FOLDER of compiled plans}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The first compiler that makes programs with a sanitizer, and these run.
with() {
  for one in ${CC:-} clang gcc; do
    if echo 'int main(void) { return 0; }' | "$one" -x c "$1" - -o "$folder/try" 2>/dev/null && "$folder/try" 2>/dev/null; then
      echo "$one"
      return
    fi
  done
}
build() { # $1 names the compiler, $2 the sanitizers, $3 the source, $4 the program
  mkdir -p "$folder/objects"
  options="-std=gnu11 -O1 -g -Wno-unknown-pragmas -ffp-contract=off -fno-sanitize-recover=all $2
    -ISources/CKernels/include -ISources/CCompress/include -ISources/CCompress"
  find Sources/CKernels Sources/CCompress -name '*.c' | LC_ALL=C sort |
    xargs -P "$(getconf _NPROCESSORS_ONLN)" -I{} sh -c \
      "file={}; $1 $(echo "$options" | tr '\n' ' ') -c \"\$file\" -o \"$folder/objects/\$(echo \"\$file\" | tr / -).o\""
  "$1" $options "$folder"/objects/*.o "Tests/soak/$3.c" -lm -lpthread -o "$folder/$4"
}
compiler=$(with -fsanitize=address,undefined)
if [ -z "$compiler" ]; then
  echo "SKIPPED: a million damaged compiled plans: no compiler here has the sanitizers" >&2
  exit 77
fi
build "$compiler" -fsanitize=address,undefined library damaged
"$folder/damaged" "${COUNT:-1000000}" "${SEED:-1}" "$seeds"/*.cmpx
"$compiler" -std=gnu11 -g -fsanitize=address,undefined -ISources/CCompress/include "$folder"/objects/*.o Tests/soak/library-threads.c \
  -lm -lpthread -o "$folder/address"
"$folder/address" "${SECONDS_EACH:-60}" "$seeds"/threads-*.cmpx
compiler=$(with -fsanitize=thread)
if [ -z "$compiler" ]; then
  echo "SKIPPED: sessions under the thread sanitizer: no compiler here has it" >&2
  exit 0
fi
build "$compiler" -fsanitize=thread library-threads thread
"$folder/thread" "${SECONDS_EACH:-60}" "$seeds"/threads-*.cmpx
