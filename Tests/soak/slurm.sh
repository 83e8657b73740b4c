#!/usr/bin/env bash
# Starts a real Slurm of one node, runs a sweep on it, and compares its table with the same sweep run locally.
# Needs root; installs slurm-wlm and munge from Debian where they are missing. Exit status 77: cannot be had here.
#   slurm.sh PROGRAM PLUGINS
set -euo pipefail
program=$(realpath "$1"); export COMPRESS_PLUGINS; COMPRESS_PLUGINS=$(realpath "$2")
skip() { echo "SKIPPED: $1"; exit 77; }
[ "$(id -u)" = 0 ] || skip "a Slurm of one node is started by root"
command -v slurmctld >/dev/null && command -v munged >/dev/null || {
  (apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q slurm-wlm munge) >/dev/null 2>&1 \
    || skip "slurm-wlm and munge cannot be installed"
}

dir=$(mktemp -d)
export XDG_CACHE_HOME=$dir/cache XDG_DATA_HOME=$dir/data SLURM_CONF=$dir/slurm.conf
# Daemons that outlive this script would keep whoever waits for its output waiting.
stop() {
  set +e
  scancel --state=running --user="$(id -un)" 2>/dev/null
  for _ in $(seq 50); do [ -z "$(squeue -h 2>/dev/null)" ] && break; sleep 0.1; done
  pkill -f -- "-f $SLURM_CONF"
  for _ in $(seq 50); do pgrep -f -- "-f $SLURM_CONF" >/dev/null || break; sleep 0.1; done
  pkill -9 -f -- "-f $SLURM_CONF"
  [ -n "${munge_started:-}" ] && kill "$munge_started" 2>/dev/null
  rm -rf "$dir"
}
trap stop EXIT

if ! munge -n 2>/dev/null | unmunge >/dev/null 2>&1; then
  mkdir -p /run/munge && chown munge /run/munge
  runuser -u munge -- munged --force
  for _ in $(seq 50); do munge -n 2>/dev/null | unmunge >/dev/null 2>&1 && break; sleep 0.1; done
  munge_started=$(cat /run/munge/munged.pid)
fi
mkdir "$dir/state" "$dir/spool"
cat > "$SLURM_CONF" <<CONF
ClusterName=one
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
SlurmctldPort=16817
SlurmdPort=16818
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
ReturnToService=2
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
MinJobAge=20
NodeName=$(hostname) NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=1000
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
slurmctld -f "$SLURM_CONF"
slurmd -f "$SLURM_CONF"
for _ in $(seq 100); do sinfo -h -o %T 2>/dev/null | grep -qx idle && break; sleep 0.3; done
sinfo -h -o %T | grep -qx idle || { cat "$dir"/*.log; echo "the node does not come up"; exit 1; }

cat > "$dir/lab.lua" <<'LUA'
local p = params { sparsity = { 0.8, min = 0, max = 1 }, strategy = { "global_magnitude" } }
local digits   = dataset "digits"
local training = digits.train:take(400)
local baseline = train(zoo.lab_cnn(), { data = training, epochs = 2, batch = 64, optimizer = "adam" })
local pruned   = prune(baseline, use(p.strategy) {}, {
  sparsity = p.sparsity, train = { data = training, epochs = 1, batch = 64, optimizer = "adam" },
})
compare { on = digits.test:take(300), images = 5, { "baseline", baseline }, { "pruned", pruned } }
LUA
arguments=(sweep "$dir/lab.lua" --grid sparsity=0.5,0.9 --grid strategy=global_magnitude,no_such_thing --threads 1)
sweep() { "$program" "${arguments[@]}" --out "$@"; }
# What was timed is in the last six columns; folders differ.
table() { sed -e "s|$dir/[a-z]*||g" "$1/table.csv" | awk -F, 'NF > 6 { for (i = 1; i <= NF - 6; i++) printf "%s,", $i; print "" } NF <= 6 { print }'; }

status=0; sweep "$dir/local" || status=$?
[ $status = 5 ] || { echo "the local sweep ended with $status"; exit 1; }
rm -rf "$XDG_CACHE_HOME"

# The coordinator is killed while tasks are at work, and another one takes over what is in the queue.
"$program" "${arguments[@]}" --out "$dir/cluster" --on slurm --jobs 2 --slurm=--partition=main & coordinator=$!
for _ in $(seq 100); do [ -s "$dir/cluster/slurm/jobs.json" ] && break; sleep 0.1; done
kill -9 $coordinator; wait $coordinator || true
# A task that Slurm lost is submitted again.
scancel "$(squeue -h -r -o %i | tail -1)" || true
status=0; sweep "$dir/cluster" --on slurm --jobs 2 --slurm=--partition=main --resume || status=$?
[ $status = 5 ] || { echo "the sweep on Slurm ended with $status"; cat "$dir"/cluster/points/*/log.txt; exit 1; }
diff <(table "$dir/local") <(table "$dir/cluster")
trainings=$(cat "$dir"/cluster/points/*/outcome.json | tr -d ' \n' | grep -o '"computed":true,"key":"[0-9a-f]*","kind":"train"' | wc -l)
[ "$trainings" = 1 ] || { echo "the baseline was trained $trainings times"; exit 1; }
echo "the same table on Slurm, $(ls "$dir"/cluster/slurm/*.points | wc -l) arrays submitted"
