#!/bin/bash
# Ours beside ONNX Runtime, OpenVINO and LiteRT on the very same files of networks of the zoo, in turns.
#
#   make bench-peers                                        # lab_cnn, resnet18_cifar, mobilenet_v2
#   make bench-peers NETWORKS=resnet50,vgg16 ROUNDS=5
#   make bench-peers NETWORKS=resnet50 SPARSITY=0.9 PRECISIONS=fp32     # ours with zeros, beside the others' dense products
#   make bench-peers NETWORKS=resnet50 SPARSITY=0.9 BLOCK=1x4 PRECISIONS=int8
#
# The runtimes come from PyPI into a scratch folder, or are those of the interpreter that COMPRESS_PEERS_PYTHON names. Where
# there is neither it says so and ends with status 77. Nothing else should compute meanwhile.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${PROGRAM:-.build/release/compress} networks=${NETWORKS:-lab_cnn,resnet18_cifar,mobilenet_v2}

source Tests/python.sh

scratch=$(mktemp -d "${TMPDIR:-/tmp}/compress-peers-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
COMPRESS_TEST_PYTHON=${COMPRESS_PEERS_PYTHON:-}
python_with onnxruntime,openvino,ai_edge_litert onnxruntime openvino ai-edge-litert numpy
"$program" run Tests/peers/models.lua --out "$scratch/models" --set "networks=$networks"
"$python" Tests/peers/bench.py --program "$program" --models "$scratch/models" --networks "$networks" \
  --rounds "${ROUNDS:-3}" --threads "${THREADS:-1,2}" --precisions "${PRECISIONS:-fp32,int8}" \
  ${SPARSITY:+--sparsity "$SPARSITY"} ${BLOCK:+--block "$BLOCK"}
