#!/usr/bin/env bash
# What a sweep saves: 20 points of pipelines/mnist_lab.lua against 20 separate runs, in CPU time, and two workers against
# one, in time: medians of three sweeps each, in turn. To be run on a quiet machine of two cores or more.
#   sweep-figures.sh PROGRAM DATA
set -euo pipefail
program=$(realpath "$1"); data=$(realpath "$2"); root=$(realpath "$(dirname "$0")/../..")
export COMPRESS_PLUGINS=$root/plugins
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
export XDG_DATA_HOME=$dir/data
common=("$root/pipelines/mnist_lab.lua" --data "$data" --set cooldown=0 --threads 1)
sparsities="0.5 0.6 0.7 0.8 0.9"; strategies="global_magnitude local_magnitude"; schedules="polynomial linear"
list() { echo "${1// /,}"; }
grid=(--grid "sparsity=$(list "$sparsities")" --grid "strategy=$(list "$strategies")" --grid "schedule=$(list "$schedules")")
TIMEFORMAT='%R %U %S'
cpu() { awk '{ print $2 + $3 }' "$1"; }
median() { sort -n | sed -n 2p; }

echo "20 separate runs"
runs() {
  local number=0
  for sparsity in $sparsities; do for strategy in $strategies; do for schedule in $schedules; do
    number=$((number + 1))
    XDG_CACHE_HOME=$dir/separate-$number "$program" run "${common[@]}" --set "sparsity=$sparsity" \
      --set "strategy=$strategy" --set "schedule=$schedule" --out "$dir/run-$number" > /dev/null 2>&1
  done; done; done
}
{ time runs; } 2> "$dir/separate"
for turn in 1 2 3; do
  for jobs in 1 2; do
    echo "a sweep of 20 points, --jobs $jobs"
    rm -rf "$dir/sweep-$jobs"
    { time XDG_CACHE_HOME=$dir/cache-$jobs-$turn "$program" sweep "${common[@]}" "${grid[@]}" --jobs $jobs \
      --out "$dir/sweep-$jobs" > "$dir/out-$jobs" 2> /dev/null; } 2> "$dir/time-$jobs-$turn"
  done
done
# The baseline, "computed" by one point and read by the others; the pruned model's training is a stage of another kind.
trained=$(cat "$dir"/sweep-1/points/*/outcome.json | tr -d ' \n' | grep -o '"computed":true,"key":"[0-9a-f]*","kind":"train"' | wc -l)
echo "baseline epochs trained: $trained"
sweep=$(for turn in 1 2 3; do cpu "$dir/time-1-$turn"; done | median)
awk -v a="$sweep" -v b="$(cpu "$dir/separate")" \
  'BEGIN { printf "CPU time: sweep %.1f s, separate runs %.1f s: %.3f of it (at most 0.72)\n", a, b, a / b }'
for jobs in 1 2; do cut -d' ' -f1 "$dir"/time-$jobs-* | median > "$dir/wall-$jobs"; done
awk -v a="$(cat "$dir/wall-1")" -v b="$(cat "$dir/wall-2")" \
  'BEGIN { printf "--jobs 1: %.1f s, --jobs 2: %.1f s: %.2f times faster (at least 1.7)\n", a, b, a / b }'
cut -d, -f1-18 "$dir/sweep-1/table.csv" | cmp - <(cut -d, -f1-18 "$dir/sweep-2/table.csv") && echo "the same table, times apart"
