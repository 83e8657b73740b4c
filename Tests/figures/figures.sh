#!/bin/sh
# Whether the figures in the documentation and in the headers of plugins and pipelines are what the program gives.
# figures.txt beside this script lists them with the commands they come from, and says in which form.
#   PROGRAM=.build/release/compress DATA=DIR ALL=1 ONLY=lenet THREADS=1 Tests/figures/figures.sh
# ALL=1 runs the dear commands, too; ONLY runs those whose text contains it; THREADS is how many each may use.
# Status 0: what was run agrees, and every text is in its file; 1: something differs; 2: the list itself is wrong.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" || exit 2
PROGRAM=${PROGRAM:-.build/release/compress}
DATA=${DATA:-${COMPRESS_DATA:-${XDG_CACHE_HOME:-$HOME/.cache}/compress/data}}
LIST=${LIST:-Tests/figures/figures.txt}
ALL=${ALL:-} ONLY=${ONLY:-} THREADS=${THREADS:-}

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# A store of its own: stages that an earlier program computed would hide what this one computes.
mkdir "$work/cache" "$work/records" "$work/files" "$work/found"
export XDG_CACHE_HOME="$work/cache" XDG_DATA_HOME="$work/records"

failed=0 texts=0 compared=0 dear=0 timed=0 missing=0

fail() { printf 'DIFFERS  %s\n' "$1"; failed=$((failed + 1)); }
wrong() { printf 'Tests/figures/figures.txt: %s\n' "$1" >&2; exit 2; }

# A file with each paragraph, comment and row of a table on one line, and runs of blanks as one.
flat() {
  kept="$work/files/$(printf '%s' "$1" | tr / %)"
  [ -f "$kept" ] || awk '
    function flush() { if (line != "") print line; line = "" }
    {
      gsub(/[ \t]+/, " "); sub(/^ /, ""); sub(/ $/, "")
      if (comment) sub(/^-- ?/, "") || flush()
      if ($0 == "" || /^\|/ || /^```/) flush()
      line = line == "" ? $0 : line " " $0
      if (/^\|/) flush()
    }
    END { flush() }' comment="$(case $1 in *.lua) echo 1 ;; esac)" "$1" > "$kept"
  printf '%s' "$kept"
}

# Shared by what follows: braces around a figure say that it is compared, … stands for anything in the same line.
functions='
  function literal(s) { gsub(/[][\\.^$*+?(){}|\/]/, "\\\\&", s); return s }
  function figures(s, into,   n) {
    n = 0
    while (match(s, /[{][-+0-9.,]+[}]/)) {
      into[++n] = substr(s, RSTART + 1, RLENGTH - 2)
      s = substr(s, RSTART + RLENGTH)
    }
    return n
  }
  function plain(s) {
    while (match(s, /[{][-+0-9.,]+[}]/))
      s = substr(s, 1, RSTART - 1) substr(s, RSTART + 1, RLENGTH - 2) substr(s, RSTART + RLENGTH)
    return s
  }'

# Is TEXT in the file?
holds() {
  TEXT=$2 awk "$functions"'
    BEGIN { wanted = literal(plain(ENVIRON["TEXT"])); gsub(/…/, ".*", wanted) }
    $0 ~ wanted { found = 1 }
    END { exit !found }' "$(flat "$1")"
}

# Does a line of the output have the figures of TEXT where PATTERN has {}? If not, prints the line that should.
agrees() {
  TEXT=$1 PATTERN=$2 awk "$functions"'
    BEGIN {
      count = figures(ENVIRON["TEXT"], expected)
      wanted = alike = ENVIRON["PATTERN"]
      places = gsub(/[{][}]/, "[-+0-9.,]+", alike)
      if (count == 0 || places != count) { printf "%d figures for %d places", count, places; bad = 1; exit 2 }
      for (i = 1; i <= count; i++) {
        at = index(wanted, "{}")
        wanted = substr(wanted, 1, at - 1) literal(expected[i]) substr(wanted, at + 2)
      }
      wanted = wanted "([^0-9.]|[.]?$)"
    }
    { gsub(/[ \t]+/, " "); sub(/^ /, ""); sub(/ $/, "") }
    $0 ~ wanted { found = 1 }
    $0 ~ alike { line = $0 }
    END {
      if (bad) exit 2
      if (found) exit 0
      printf "%s", line == "" ? "nothing like " ENVIRON["PATTERN"] : line
      exit 1
    }' "$3"
}

start() {
  class=${1%% *} rest=${1#* }
  needs=${rest%% *} command=${rest#* }
  state=listed
  case $class in cheap | dear | timed | elsewhere) ;; *) wrong "no class \"$class\": $1" ;; esac
  case $command in *"$ONLY"*) ;; *) state=other; return ;; esac
  case $class in
    timed | elsewhere) timed=$((timed + 1)); return ;;
    dear) if [ -z "$ALL" ]; then dear=$((dear + 1)); return; fi ;;
  esac
  case $command in "compress "*) ;; *) wrong "a command begins with compress: $command" ;; esac
  if [ "$needs" != - ]; then
    for need in $(printf '%s' "$needs" | tr , ' '); do
      if [ ! -e "$DATA/$need" ]; then
        printf 'SKIPPED  %s\n         %s is not in %s\n' "$command" "$need" "$DATA"
        missing=$((missing + 1))
        return
      fi
    done
  fi
  printf 'running  %s\n' "$command"
  # The list's commands are words without blanks; they may be split.
  # shellcheck disable=SC2086
  if "$PROGRAM" ${command#compress } --plugins plugins --data "$DATA" ${THREADS:+--threads "$THREADS"} \
    > "$work/output" 2> "$work/errors" < /dev/null; then
    state=done
  else
    fail "$command: status $?"
    tail -n 3 "$work/errors"
    state=failed
  fi
}

figure() {
  file=${1%%: *} rest=${1#*: }
  text=${rest% => *} pattern=
  [ "$text" = "$rest" ] || pattern=${rest##* => }
  [ -f "$file" ] || wrong "there is no $file"
  texts=$((texts + 1))
  printf '%s\n' "$text" | grep -o '{[-+0-9.,]*}' | tr -d '{}' >> "$work/found/$(printf '%s' "$file" | tr / %)"
  said=$(printf '%s' "$text" | sed 's/{\([-+0-9.,]*\)}/\1/g')
  holds "$file" "$text" || fail "$file does not say: $said"
  case $class in cheap | dear) [ -n "$pattern" ] || wrong "no pattern: $1" ;; esac
  [ "$state" = done ] || return
  given=$(agrees "$text" "$pattern" "$work/output")
  case $? in
    0) compared=$((compared + 1)) ;;
    1) fail "$file says: $said
         $command
         gives: $given" ;;
    *) wrong "$given: $1" ;;
  esac
}

[ -x "$PROGRAM" ] || { printf 'there is no program %s; make build makes it\n' "$PROGRAM" >&2; exit 2; }
class=
while IFS= read -r line || [ -n "$line" ]; do
  case $line in
    '' | '#'*) ;;
    '  '*) [ -n "$class" ] || wrong "a figure before any command: $line"; figure "${line#  }" ;;
    *) start "$line" ;;
  esac
done < "$LIST"

# Percentages with two decimals that no entry of the list vouches for.
unlisted() {
  names="$work/found/$(printf '%s' "$1" | tr / %)"
  [ -f "$names" ] || : > "$names"
  awk '
    FILENAME == ARGV[1] { known[$0] = 1; next }
    {
      if (code && $0 !~ /^--/) next
      while (match($0, /[0-9.,]*[0-9]/)) {
        number = substr($0, RSTART, RLENGTH)
        if (number ~ /^[0-9][0-9][.][0-9][0-9]$/ && !(number in known)) printf " %s (line %d)", number, FNR
        $0 = substr($0, RSTART + RLENGTH)
      }
    }' "$names" code="$(case $1 in *.lua) echo 1 ;; esac)" "$1"
}

for file in README.md docs/benchmarks.md pipelines/*.lua plugins/*/*.lua examples/*/README.md; do
  case $file in plugins/meta/*) continue ;; esac
  numbers=$(unlisted "$file")
  [ -z "$numbers" ] || fail "$file has figures that figures.txt does not list:$numbers"
done

printf '%d figures in their files, %d compared with what the program gives, %d differ\n' "$texts" "$compared" "$failed"
[ "$missing" = 0 ] || printf '%d commands SKIPPED, since their data is not in %s\n' "$missing" "$DATA"
[ "$dear" = 0 ] || printf '%d dear commands not run; ALL=1 runs them\n' "$dear"
[ "$timed" = 0 ] || printf '%d commands depend on the machine, or are other tools, and are never compared\n' "$timed"
[ "$failed" = 0 ]
