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

source Tests/python.sh

scratch=$(mktemp -d "${TMPDIR:-/tmp}/compress-pytorch-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
python_with torch,torchvision,timm,safetensors torch torchvision timm safetensors numpy
export COMPRESS_TEST_PYTHON=$python
"${SWIFT:-swift}" test -c release --scratch-path .build/testing --filter 'PyTorchTests|PyTorchBlockTests|PyTorchNetworkTests'
