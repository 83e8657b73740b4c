#!/bin/bash
# `compress bench --on` and `compress run --on` by a real sshd on this machine, with keys, a port and a folder of its own;
# and on what says that it is an ARM, whose runner qemu runs.
#
#   PROGRAM=.build/release/compress Tests/exports/device.sh
#
# Says what it had to leave out; with status 77 where there is no sshd or no C compiler.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(realpath "${PROGRAM:-.build/release/compress}")
sshd=$(command -v sshd || echo /usr/sbin/sshd)
skip() {
  echo "SKIPPED: NOTHING WAS MEASURED BY SSH: $*" >&2
  exit 77
}
[ -x "$sshd" ] || skip "there is no sshd (package openssh-server)"
command -v ssh >/dev/null || skip "there is no ssh (package openssh-client)"
command -v cc >/dev/null || skip "there is no C compiler"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/compress-device-XXXXXX")
chmod 700 "$scratch"
server=
separation=
cleanup() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$separation" ] || rmdir /run/sshd 2>/dev/null || true
  rm -rf "$scratch"
}
trap cleanup EXIT
mkdir "$scratch/remote" "$scratch/bin" "$scratch/arm"

RUNNERS=all packaging/library.sh "$scratch/lib" >/dev/null

# Only root's sshd gives up its rights, in a folder that has to be there.
if [ "$(id -u)" = 0 ] && [ ! -d /run/sshd ]; then
  mkdir /run/sshd
  separation=yes
fi
ssh-keygen -q -t ed25519 -N '' -f "$scratch/host"
ssh-keygen -q -t ed25519 -N '' -f "$scratch/mine"
cp "$scratch/mine.pub" "$scratch/authorized"

start() { # $1: more of its configuration
  [ -z "$server" ] || { kill "$server"; wait "$server" 2>/dev/null || true; }
  for _ in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 20000))
    cat >"$scratch/sshd_config" <<CONFIG
ListenAddress 127.0.0.1
Port $port
HostKey $scratch/host
AuthorizedKeysFile $scratch/authorized
PidFile $scratch/pid
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
LogLevel ERROR
SetEnv TMPDIR=$scratch/remote $1
CONFIG
    "$sshd" -D -e -f "$scratch/sshd_config" 2>>"$scratch/sshd.log" &
    server=$!
    for _ in $(seq 50); do
      if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$scratch/host.pub")" >"$scratch/known"
        cat >"$scratch/config" <<CONFIG
Host *
  IdentityFile $scratch/mine
  IdentitiesOnly yes
  UserKnownHostsFile $scratch/known
  GlobalKnownHostsFile /dev/null
CONFIG
        return
      fi
      kill -0 "$server" 2>/dev/null || break
      sleep 0.1
    done
  done
  skip "sshd does not start: $(tail -1 "$scratch/sshd.log")"
}

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
on() { # $1: the runners; a command and its arguments
  runners=$1
  command=$2
  shift 2
  COMPRESS_RUNNERS=$runners "$program" "$command" "$@" --on "ssh://$(id -un)@127.0.0.1:$port" --ssh-config "$scratch/config"
}
empty() { [ -z "$(ls -A "$scratch/remote")" ] || fail "left behind there: $(ls "$scratch/remote")"; }

start ""
for network in zoo:lab_cnn zoo:mobilenet_v1; do
  for precision in fp32 int8; do
    on "$scratch/lib" bench "$network" --precision "$precision" --runs 40 --threads 1 --layers --json >"$scratch/told.json"
    python3 - "$scratch/told.json" "$port" <<'PY'
import json, sys
told = json.load(open(sys.argv[1]))
assert told["device"]["address"].endswith("@127.0.0.1:" + sys.argv[2]), told["device"]
assert told["runs"] == 40 and 0 < told["p50_ms"] <= told["p90_ms"] <= told["max_ms"], told
steps = sum(layer["p50_ms"] for layer in told["layers"])
assert 0.3 < steps / told["p50_ms"] < 3, (steps, told["p50_ms"])
PY
    empty
  done
done
echo "sshd: $(sed -n 's/.*"name" *: *"\([^"]*\)".*/\1/p' "$scratch/told.json" | head -1)"

cat >"$scratch/two.lua" <<'LUA'
local digits = dataset "digits"
local one = train(zoo.quick_cnn(), { data = digits.train:take(300) })
compare { on = digits.test:take(100), images = 90, { "float", one },
  { "int8", quantize(one, use "int8" { calibration = digits.train:take(100) }) } }
LUA
XDG_DATA_HOME=$scratch/data on "$scratch/lib" run "$scratch/two.lua" --out "$scratch/out" --threads 1 >"$scratch/run.txt"
grep -q "measured on ssh://" "$scratch/run.txt" || fail "the table does not say where"
grep -q '"address"' "$scratch/out/results.json" || fail "results.json does not say where"
empty

# Whom nobody knows is not asked, and who is not let in is told.
: >"$scratch/known"
if on "$scratch/lib" bench zoo:lab_cnn --runs 20 >"$scratch/none.txt" 2>&1; then fail "a host that is not known was trusted"; fi
grep -q "ssh cannot reach it: .*[Hh]ost key" "$scratch/none.txt" || fail "$(cat "$scratch/none.txt")"
: >"$scratch/authorized"
echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$scratch/host.pub")" >"$scratch/known"
if on "$scratch/lib" bench zoo:lab_cnn --runs 20 >"$scratch/none.txt" 2>&1; then fail "a key that is not known was let in"; fi
grep -q "ssh cannot reach it: .*Permission denied" "$scratch/none.txt" || fail "$(cat "$scratch/none.txt")"
cp "$scratch/mine.pub" "$scratch/authorized"

# A machine that says it is an ARM, whose runner is started by qemu.
if [ -e "$scratch/lib/compress-runner-aarch64" ] && command -v qemu-aarch64 >/dev/null && [ "$(uname -m)" != aarch64 ]; then
  printf '#!/bin/sh\necho aarch64\n' >"$scratch/bin/uname"
  printf '#!/bin/sh\nexec qemu-aarch64 "%s" "$@"\n' "$scratch/lib/compress-runner-aarch64" >"$scratch/arm/compress-runner-aarch64"
  chmod +x "$scratch/bin/uname" "$scratch/arm/compress-runner-aarch64"
  start "PATH=$scratch/bin:$PATH"
  for precision in fp32 int8; do
    on "$scratch/arm" bench zoo:lab_cnn --precision "$precision" --runs 20 --threads 1 --layers --json >"$scratch/told.json"
    grep -q '"isa" *: *"neon"' "$scratch/told.json" || fail "$(cat "$scratch/told.json")"
    empty
  done
  echo "ARM: lab_cnn ran with neon, by qemu"
else
  echo "SKIPPED: the runner for ARM: there is no aarch64-linux-gnu-gcc or no qemu-aarch64" >&2
fi
