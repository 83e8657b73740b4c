#!/usr/bin/env bash
# Logs a sweep to a real MLflow server from PyPI, and asks the server what it has.
# Exit status 77: the server cannot be had here.
#   mlflow.sh PROGRAM PLUGINS
set -euo pipefail
program=$(realpath "$1"); export COMPRESS_PLUGINS; COMPRESS_PLUGINS=$(realpath "$2")
skip() { echo "SKIPPED: $1"; exit 77; }
command -v python3 >/dev/null || skip "no Python"
# Kept between runs: MLflow brings a hundred packages.
venv=${COMPRESS_MLFLOW_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/compress-tests/mlflow}
[ -x "$venv/bin/mlflow" ] || {
  mkdir -p "$(dirname "$venv")"
  python3 -m venv "$venv" && "$venv/bin/pip" install -q 'mlflow>=2.10,<4' || { rm -rf "$venv"; skip "MLflow cannot be installed"; }
}

dir=$(mktemp -d)
export XDG_CACHE_HOME=$dir/cache XDG_DATA_HOME=$dir/data
trap 'kill ${server:-} 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
(cd "$dir" && exec "$venv/bin/mlflow" server --host 127.0.0.1 --port "$port" --backend-store-uri "sqlite:///$dir/mlflow.db" \
  --artifacts-destination "$dir/artifacts" --workers 1 > "$dir/server.log" 2>&1) & server=$!
url=http://127.0.0.1:$port
for _ in $(seq 600); do (exec 3<> "/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.3; done
python3 -c "import urllib.request as r; r.urlopen('$url/health')" || { cat "$dir/server.log"; exit 1; }

cat > "$dir/lab.lua" <<'LUA'
local p = params { sparsity = { 0.8, min = 0, max = 1 }, strategy = { "global_magnitude" } }
local digits   = dataset "digits"
local training = digits.train:take(400)
local baseline = train(zoo.lab_cnn(), { data = training, epochs = 2, batch = 64, optimizer = "adam" })
local pruned   = prune(baseline, use(p.strategy) {}, { sparsity = p.sparsity })
compare { on = digits.test:take(300), images = 5, { "baseline", baseline }, { "pruned and more", pruned } }
LUA
sweep() { "$program" sweep "$dir/lab.lua" --grid sparsity=0.5,0.9 --grid strategy=global_magnitude,no_such_thing --threads 1 --out "$dir/out" "$@"; }
status=0; sweep --mlflow "$url" || status=$?
[ $status = 5 ] || { echo "the sweep ended with $status"; exit 1; }
# Logged once, however often it is handed over.
status=0; sweep --mlflow "$url" --resume || status=$?
[ $status = 5 ]
"$program" run "$dir/lab.lua" --set sparsity=0.7 --threads 1 --out "$dir/run" --mlflow "$url"
# A server that is away does not end a sweep.
status=0; sweep --mlflow http://127.0.0.1:1 --resume 2> "$dir/away" || status=$?
[ $status = 2 ] || [ $status = 3 ] || { echo "without a server: $status"; exit 1; }

"$venv/bin/python" - "$url" "$dir" <<'PY'
import json, sys, urllib.request
url, folder = sys.argv[1:]
def call(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))
experiment = call("/api/2.0/mlflow/experiments/get-by-name?experiment_name=lab")["experiment"]["experiment_id"]
runs = call("/api/2.0/mlflow/runs/search", {"experiment_ids": [experiment], "max_results": 100})["runs"]
assert len(runs) == 5, len(runs)
states = sorted(run["info"]["status"] for run in runs)
assert states == ["FAILED", "FAILED", "FINISHED", "FINISHED", "FINISHED"], states
for run in runs:
    params = {item["key"]: item["value"] for item in run["data"]["params"]}
    metrics = {item["key"]: item["value"] for item in run["data"].get("metrics", [])}
    tags = {item["key"]: item["value"] for item in run["data"]["tags"]}
    assert params["sparsity"] in ("0.5", "0.7", "0.9") and tags["compress.uid"], params
    if run["info"]["status"] == "FAILED":
        assert "no_such_thing" in tags["compress.error"]
        continue
    assert 0 < metrics["accuracy"] <= 1 and metrics["accuracy"] == metrics["pruned and more/accuracy"]
    assert metrics["baseline/gzip_bytes"] > metrics["gzip_bytes"] > 0
    names = {item["path"] for item in call(f"/api/2.0/mlflow/artifacts/list?run_id={run['info']['run_id']}")["files"]}
    assert {"results.json", "report.html", "models"} <= names, names
point = next(run for run in runs if run["info"]["run_name"].endswith("-1"))
stored = urllib.request.urlopen(
    f"{url}/get-artifact?path=results.json&run_uuid={point['info']['run_id']}").read()
assert stored == open(folder + "/out/points/0001/results.json", "rb").read()
print("MLflow has", len(runs), "runs, with their params, metrics and files")
PY
