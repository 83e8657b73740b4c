#!/bin/bash
# Networks of keras.applications, and small ones of every layer, with drawn weights as Keras saves them, each read here
# and held against what Keras computes, to 1e-4 of the largest output.
#
#   Tests/exports/keras.sh [NETWORK …]    # takes PROGRAM, a compress; by default that of `make build`; ALL for all
#
# keras comes from PyPI with JAX into a scratch folder, or is that of the interpreter that COMPRESS_TEST_PYTHON names.
# Where there is neither it says so and ends with status 77: nothing was checked.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${PROGRAM:-.build/release/compress}

skip() {
  echo "SKIPPED: NOTHING WAS CHECKED: $*" >&2
  exit 77
}

[ -x "$program" ] || skip "there is no $program; PROGRAM can name another one"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/compress-keras-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
export KERAS_BACKEND=${KERAS_BACKEND:-jax}
python=${COMPRESS_TEST_PYTHON:-}
if [ -z "$python" ] || ! "$python" -c "import keras" 2>/dev/null; then
  command -v python3 >/dev/null || skip "there is no python3"
  python3 -m venv "$scratch/python" || skip "python3 makes no virtual environment"
  "$scratch/python/bin/pip" install --quiet keras jax numpy || skip "keras and jax cannot be had"
  python="$scratch/python/bin/python"
fi
"$python" Tests/exports/check_keras.py "$program" "$scratch" "$@"
