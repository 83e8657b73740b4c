#!/bin/sh
# Bytes and accuracy of a trained network packed at several trades, beside NNCodec 2.1.3 from PyPI at several widths of its
# steps, of the same weights: DATA=DIR [PROGRAM=PATH] [NETWORK=resnet20] [TEST=10000] [QPS="-36 -34 …"] packed-curve.sh. DIR
# has cifar10 and the trained networks under models/. Exit status 77: they, Python or PyPI cannot be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=${PROGRAM:-$here/../../.build/release/compress}
network=${NETWORK:-resnet20}
case $network in
resnet20) weights=models/cifar10-resnet/resnet20-12fca82f.safetensors ;;
resnet18) weights=models/cifar10-torchvision/resnet18_cifar10.safetensors ;;
*) echo "NETWORK=$network: resnet20 or resnet18" >&2; exit 2 ;;
esac
[ -f "${DATA:-}/$weights" ] || { echo "SKIPPED: packed curve: DATA=DIR has no $weights" >&2; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install --quiet nncodec==2.1.3 || {
  echo "SKIPPED: packed curve beside NNCodec: Python, or packages of PyPI, cannot be had" >&2
  exit 77
}
# shellcheck disable=SC2086
"$folder/venv/bin/python" "$here/packed_curve.py" "$DATA/$weights" "$folder" ${QPS:--36 -32 -28 -24 -20} \
  > "$folder/sizes"
others=$(awk '{ printf "%s%s.safetensors", NR > 1 ? "," : "", $1 }' "$folder/sizes")
cp "$here/packed_curve.lua" "$folder"
"$program" run "$folder/packed_curve.lua" --data "$DATA" --out "$folder/out" --quiet --set network="$network" \
  --set test="${TEST:-10000}" ${LAMBDAS:+--set lambdas="$LAMBDAS"} --set others="$others" > "$folder/told"
while read -r name accuracy; do
  case $name in
  float) printf '%-22s%10s B%8s %%\n' "$network" "$(wc -c < "$DATA/$weights")" "$accuracy" ;;
  *.safetensors) qp=${name%.safetensors}
    printf '%-22s%10s B%8s %%\n' "NNCodec, qp $qp" "$(awk -v q="$qp" '$1 == q { print $2 }' "$folder/sizes")" "$accuracy" ;;
  *) printf '%-22s%10s B%8s %%\n' "lambda $name" "$(wc -c < "$folder/out/$name.cmpz")" "$accuracy" ;;
  esac
done < "$folder/told"
