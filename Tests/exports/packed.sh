#!/bin/sh
# Packed files of every network of the zoo at 80 % zeros and int8 beside gzip -9, zstd -19, xz -9 and brotli -11, which
# come from Python and PyPI. PROGRAM=PATH NETWORKS=lab_cnn,resnet8 DATA=DIR Tests/exports/packed.sh; DATA: trained
# networks as well. Exit status 77: Python or PyPI cannot be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=${PROGRAM:-$here/../../.build/release/compress}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install --quiet brotli==1.2.1 zstandard==0.25.0 || {
  echo "SKIPPED: packed files beside other compressors: Python, or packages of PyPI, cannot be had" >&2
  exit 77
}
if [ -n "${DATA:-}" ]; then set -- --data "$DATA" --set trained=true; else set --; fi
"$program" run "$here/packed.lua" --out "$folder/out" --quiet --set networks="${NETWORKS:-}" "$@"
"$folder/venv/bin/python" "$here/packed.py" "$program" "$folder/out"
