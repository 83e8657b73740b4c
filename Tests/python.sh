# Sourced by scripts that need a Python with packages of others: sets `python`, or ends with status 77, saying that
# nothing was done.
#
#   python_with MODULE[,MODULE …] PACKAGE…   # what must be importable, and where it comes from at PyPI
#
# An interpreter that COMPRESS_TEST_PYTHON names is taken where it has the modules; otherwise the packages go to a
# virtual environment in `scratch`, a folder of the caller's. WHEELS names a folder of wheels that are taken first.

skip() {
  echo "SKIPPED: NOTHING WAS DONE: $*" >&2
  exit 77
}

python_with() {
  local modules=$1
  shift
  python=${COMPRESS_TEST_PYTHON:-}
  if [ -n "$python" ] && "$python" -c "import $modules" 2>/dev/null; then return; fi
  command -v python3 >/dev/null || skip "there is no python3"
  python3 -m venv "$scratch/python" || skip "python3 makes no virtual environment"
  python=$scratch/python/bin/python
  "$python" -m pip install --quiet ${WHEELS:+--find-links "$WHEELS"} "$@" || skip "$* cannot be had"
  "$python" -c "import $modules" || skip "what was installed lacks one of $modules"
}
