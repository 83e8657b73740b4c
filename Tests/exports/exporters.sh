#!/bin/bash
# Networks of torchvision with drawn weights as PyTorch's two exporters write them, each read here and held against what
# PyTorch computes, to 1e-4 of the largest output.
#
#   Tests/exports/exporters.sh [NETWORK …]    # takes PROGRAM, a compress; by default that of `make build`
#
# torch, torchvision, onnx and onnxscript come from PyPI (or from the folder of wheels that WHEELS names) into a scratch
# folder, or are those of the interpreter that COMPRESS_TEST_PYTHON names. Where there is neither it says so and ends with
# status 77: nothing was checked.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${PROGRAM:-.build/release/compress}

source Tests/python.sh

scratch=$(mktemp -d "${TMPDIR:-/tmp}/compress-exporters-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
python_with torch,torchvision,onnx,onnxscript torch torchvision onnx onnxscript numpy
mkdir "$scratch/cases"
"$python" Tests/exports/exporters.py "$scratch/cases" "$@" 2>"$scratch/log" || { tail -5 "$scratch/log" >&2; exit 1; }
"$program" conformance "$scratch/cases" --verbose
