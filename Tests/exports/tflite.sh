#!/bin/bash
# TFLite files beside LiteRT: the same samples, the same outputs (docs/tflite.md).
#
#   Tests/exports/tflite.sh FOLDER_OR_FILE...    # takes the program in .build/release, or the one that PROGRAM names
#
# LiteRT comes from PyPI into a scratch folder, or is that of the interpreter that COMPRESS_TEST_PYTHON names. Where there
# is neither it says so and ends with status 77: nothing was checked.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=${PROGRAM:-$here/../../.build/release/compress}

skip() {
  echo "SKIPPED: NOTHING WAS CHECKED: $*" >&2
  exit 77
}

[ $# -gt 0 ] || { echo "usage: $0 FOLDER_OR_FILE..." >&2; exit 64; }
[ -x "$program" ] || skip "there is no $program; PROGRAM can name another one"
if [ -z "${COMPRESS_TEST_PYTHON:-}" ]; then
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/compress-litert-XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  command -v python3 >/dev/null || skip "there is no python3"
  python3 -m venv "$scratch/python" || skip "python3 makes no virtual environment"
  "$scratch/python/bin/pip" install --quiet ai-edge-litert flatbuffers numpy || skip "ai-edge-litert cannot be had"
  COMPRESS_TEST_PYTHON="$scratch/python/bin/python"
fi
python=$COMPRESS_TEST_PYTHON
"$python" -c "import ai_edge_litert, flatbuffers, numpy" || skip "$python lacks ai-edge-litert"
"$python" "$here/check_tflite.py" "$program" "$@"
