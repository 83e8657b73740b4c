#!/bin/bash
# TFLite files beside LiteRT: the same samples, the same outputs (docs/tflite.md).
#
#   Tests/exports/tflite.sh [FOLDER_OR_FILE...]  # takes the program in .build/release, or the one that PROGRAM names
#
# Without files those of Tests/exports/zoo.lua: networks of the zoo x recipes of quantization and units of pruning.
#
# LiteRT comes from PyPI into a scratch folder, or is that of the interpreter that COMPRESS_TEST_PYTHON names. Where there
# is neither it says so and ends with status 77: nothing was checked.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=${PROGRAM:-$here/../../.build/release/compress}

source "$here/../python.sh"

[ -x "$program" ] || skip "there is no $program; PROGRAM can name another one"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/compress-litert-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
python_with ai_edge_litert,flatbuffers,numpy ai-edge-litert flatbuffers numpy
if [ $# = 0 ]; then
  XDG_CACHE_HOME="$scratch/cache" "$program" run "$here/zoo.lua" --out "$scratch/zoo" >"$scratch/log" ||
    { cat "$scratch/log" >&2; exit 1; }
  set -- "$scratch/zoo"
fi
"$python" "$here/check_tflite.py" "$program" "$@"
