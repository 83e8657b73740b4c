#!/bin/sh
# Puts the program where everybody finds it, with its manual page, completions and the editor's stubs, or takes all of
# that away: `make install` and `make uninstall`.
#
#   PROGRAM=.build/release/compress LIBRARY=out/lib PREFIX=/usr/local DESTDIR= packaging/install.sh install
#   PREFIX=/usr/local DESTDIR= packaging/install.sh uninstall
#
# The library goes along where LIBRARY holds what `make lib` makes, and the runners for other machines. ZSHDIR is the folder of zsh's completions, where it is not share/zsh/site-functions.
set -eu
umask 022
cd "$(dirname "$0")/.."
program=${PROGRAM:-.build/release/compress}
library=${LIBRARY:-}
prefix=${PREFIX:-/usr/local}
root=${DESTDIR:-}$prefix
zsh=${ZSHDIR:-share/zsh/site-functions}

fail() {
  echo "$*" >&2
  exit 1
}

case $prefix in
/*) ;;
*) fail "PREFIX is \"$prefix\"; it has to be a path that begins with /" ;;
esac

uninstall() {
  for file in bin/compress share/man/man1/compress.1 share/bash-completion/completions/compress "$zsh/_compress" \
    share/fish/vendor_completions.d/compress.fish; do
    rm -f "$root/$file"
  done
  rm -f "$root"/lib/libcompress.so* "$root/lib/libcompress.a" "$root/lib/pkgconfig/compress.pc" "$root/include/compress.h"
  # Folders that hold nothing else.
  rm -rf "$root/libexec/compress" "$root/share/compress" "$root/share/doc/compress"
}

# A file that the program writes itself: $1 is where it goes, what follows are the program's arguments.
written() {
  file=$root/$1
  shift
  mkdir -p "$(dirname "$file")"
  "$program" "$@" >"$file"
}

install_all() {
  [ -x "$program" ] || fail "there is no $program yet: \`make build\` makes it, which needs Swift;" \
    "with a program that was built elsewhere: make install BIN=PATH"
  helper=$(dirname "$program")/compress-hdf5
  [ -x "$helper" ] || fail "there is no $helper, which reads Keras's files: it is built along with compress"
  "$program" --version >/dev/null || fail "$program does not run here"
  uninstall
  mkdir -p "$root/bin" "$root/libexec/compress"
  install -m 755 "$program" "$root/bin/compress"
  install -m 755 "$helper" "$root/libexec/compress/compress-hdf5"

  written share/man/man1/compress.1 meta --manual
  written share/compress/meta/compress.lua meta
  # Sourced, not run.
  written share/bash-completion/completions/compress --generate-completion-script bash
  sed -i '1{/^#!/d}' "$root/share/bash-completion/completions/compress"
  cat packaging/completions.bash >>"$root/share/bash-completion/completions/compress"
  written share/fish/vendor_completions.d/compress.fish --generate-completion-script fish
  # Functions come before the line from which the file begins to run.
  written "$zsh/_compress" --generate-completion-script zsh
  file=$root/$zsh/_compress
  awk -v functions=packaging/completions.zsh '
    /^if \[\[ "\$\{funcstack\[1\]\}" = _compress \]\]/ { while ((getline line < functions) > 0) { print line; n++ } }
    { print }
    END { exit n == 0 }' "$file" >"$file.new" || fail "the completions for zsh have another form than is known here"
  cat "$file.new" >"$file"
  rm "$file.new"

  if [ -n "$library" ] && [ -e "$library/libcompress.so.1" ]; then
    mkdir -p "$root/lib/pkgconfig" "$root/include"
    cp -P "$library"/libcompress.so* "$library/libcompress.a" "$root/lib"
    sed "s|^prefix=.*|prefix=$prefix|" "$library/compress.pc" >"$root/lib/pkgconfig/compress.pc"
    install -m 644 "$library/compress.h" "$root/include/compress.h"
    mkdir -p "$root/share/compress/python"
    for runner in "$library"/compress-runner-*; do
      if [ -e "$runner" ]; then install -m 755 "$runner" "$root/libexec/compress"; fi
    done
    install -m 644 bindings/python/compress_runtime.py "$root/share/compress/python/compress_runtime.py"
  fi

  doc=$root/share/doc/compress
  mkdir -p "$doc"
  cp LICENSE README.md CHANGELOG.md "$doc"
  cp -R docs pipelines examples "$doc"
  chmod -R u=rwX,go=rX "$doc"
}

case ${1:-} in
install)
  install_all
  echo "installed in $root: bin/compress, its manual page, completions and documents"
  ;;
uninstall)
  uninstall
  echo "removed from $root"
  ;;
*) fail "usage: packaging/install.sh install|uninstall" ;;
esac
