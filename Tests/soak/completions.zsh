#!/usr/bin/env zsh
# Completions as people meet them: interactive shells on terminals of their own, lines typed into them, Tab pressed.
#
#   PROGRAM=.build/release/compress Tests/soak/completions.zsh
#
# zsh drives them, with its module zpty. A shell that is not installed is left out, and said.
emulate -R zsh
setopt extendedglob
zmodload zsh/zpty || { print -u2 "SKIPPED: zsh has no zpty"; exit 77 }
cd ${0:A:h}/../..
typeset program=${PROGRAM:-.build/release/compress} scratch=$(mktemp -d ${TMPDIR:-/tmp}/compress-completions-XXXXXX)
typeset -i failures=0
trap 'rm -rf $scratch' EXIT

PROGRAM=$program PREFIX=/opt DESTDIR=$scratch packaging/install.sh install >/dev/null || exit 1
typeset share=$scratch/opt/share home=$scratch/home
mkdir -p $home/models/more $home/.config/fish
: >$home/models/net.onnx
print 'local p = params { sparsity = { 0.5, min = 0 }, how = { "one", choices = { "one", "two" } } }' >$home/p.lua
print -r "PS1='ready> '
source $share/bash-completion/completions/compress
bind 'set enable-bracketed-paste off' 'set show-all-if-ambiguous on'" >$home/.bashrc
print -r "PS1='ready> '
fpath=($share/zsh/site-functions \$fpath)
autoload -Uz compinit && compinit -u -D
unsetopt zle_bracketed_paste" >$home/.zshrc
print -r "function fish_prompt; printf 'ready> '; end
source $share/fish/vendor_completions.d/compress.fish" >$home/.config/fish/config.fish

# What the terminal shows, without what moves about on it, until the text is there; at most ten seconds.
shows() {
  local text=$1 seen= chunk
  repeat 100; do
    while zpty -r -t terminal chunk '*'; do seen+=$chunk; done
    seen=${seen//$'\e'[^a-zA-Z]#[a-zA-Z]/}
    [[ $seen == *$text* ]] && return 0
    sleep 0.1
  done
  print -u2 -r "\"$text\" is not in: $seen"
  return 1
}

# What stands behind Tab is not in the line that was typed.
typeset -A expected=(
  'compress plug' 'plugins'
  'compress plugins int' 'int8'
  'compress evaluate models/net.onnx --on mni' 'mnist'
  'compress evaluate models/net.onnx --on mod' 'models/'
  'compress bench zoo:detec' 'detector'
  'compress bench mod' 'models/'
  'compress run p.' 'p.lua'
  'compress run p.lua --set spa' 'sparsity='
  'compress run p.lua --set how=' 'two'
)
for shell in bash zsh fish; do
  (( $+commands[$shell] )) || { print -u2 "SKIPPED: there is no $shell"; continue }
  for line in ${(k)expected}; do
    # bash echoes where the terminal does.
    zpty -b -e terminal "cd $home; exec env HOME=$home XDG_CONFIG_HOME=$home/.config XDG_DATA_HOME=$home/data \
      PATH=$scratch/opt/bin:$PATH TERM=$([[ $shell == fish ]] && print xterm || print dumb) $shell -i"
    shows 'ready> ' && zpty -w -n terminal $line$'\t' && shows $expected[$line] ||
      { print -u2 "FAILED: $shell: $line"; failures+=1 }
    zpty -d terminal
  done
  print "$shell: $#expected lines"
done
exit $(( failures > 0 ))
