#!/bin/bash
# The zoo beside torchvision and timm: the same random weights, loaded by name, give the same outputs, to 1e-4 of the
# largest; and training steps, and gradients of what networks are made of, beside PyTorch's.
#
#   Tests/soak/pytorch-networks.sh    # takes a test build, as `make test` does
#
# PyTorch, torchvision, timm and safetensors come from PyPI into a scratch folder, or are those of the interpreter that
# COMPRESS_TEST_PYTHON names. Where there is neither it says so and ends with status 77: nothing was checked.
set -euo pipefail
cd "$(dirname "$0")/../.."

skip() {
  echo "SKIPPED: NOTHING WAS CHECKED: $*" >&2
  exit 77
}

if [ -z "${COMPRESS_TEST_PYTHON:-}" ]; then
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/compress-pytorch-XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  command -v python3 >/dev/null || skip "there is no python3"
  python3 -m venv "$scratch/python" || skip "python3 makes no virtual environment"
  "$scratch/python/bin/pip" install --quiet torch torchvision timm safetensors numpy ||
    skip "PyTorch, torchvision and timm cannot be had"
  export COMPRESS_TEST_PYTHON="$scratch/python/bin/python"
fi
"$COMPRESS_TEST_PYTHON" -c "import safetensors, timm, torchvision" ||
  skip "$COMPRESS_TEST_PYTHON lacks torchvision, timm or safetensors"
"${SWIFT:-swift}" test -c release --scratch-path .build/testing --filter 'PyTorchTests|PyTorchBlockTests|PyTorchNetworkTests'
