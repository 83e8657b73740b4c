#!/bin/bash
# What is written as ONNX beside ONNX Runtime: every network of the zoo x every recipe of quantization and one of each
# pruning unit, checked by ONNX's own checker, run, and compared with what compress answers.
#
#   Tests/exports/onnx.sh [NETWORK]    # takes PROGRAM, a compress; by default that of `make build`
#
# onnx and onnxruntime come from PyPI into a scratch folder, or are those of the interpreter that COMPRESS_TEST_PYTHON
# names. Where there is neither it says so and ends with status 77: nothing was checked.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${PROGRAM:-.build/release/compress}

source Tests/python.sh

scratch=$(mktemp -d "${TMPDIR:-/tmp}/compress-exports-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
python_with onnx,onnxruntime onnx onnxruntime numpy
mkdir "$scratch/samples"
"$python" Tests/exports/check_onnx.py samples "$scratch/samples"
XDG_CACHE_HOME="$scratch/cache" "$program" run Tests/exports/onnx.lua --data "$scratch/samples" --out "$scratch/files" \
  --set only="${1:-}" --print-size 256 >"$scratch/log" 2>"$scratch/notes" || { tail -5 "$scratch/log" "$scratch/notes" >&2; exit 1; }
"$python" Tests/exports/check_onnx.py compare "$scratch/samples" "$scratch/files" "$scratch/log"
