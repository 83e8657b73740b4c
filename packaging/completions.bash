
# readline splits words at ":" and "=", and what stands above takes each part for a word of its own. Here zoo:NAME and
# name=value are one word again, and what is offered loses what stands before the part that readline completes.
_compress_whole_words() {
    local -a words=()
    local -i index cword=0 start=0 offset=0
    local rest="${COMP_LINE}" part lead
    for ((index = 0; index < ${#COMP_WORDS[@]}; index++)); do
        part="${COMP_WORDS[index]}"
        lead="${rest%%[![:space:]]*}"
        rest="${rest#"${lead}"}"
        offset+=${#lead}
        if [[ index -eq 0 || -n "${lead}" ]]; then
            words+=("${part}")
            [[ index -gt COMP_CWORD ]] || start=${offset}
        else
            words[-1]+="${part}"
        fi
        [[ index -ne COMP_CWORD ]] || cword=${#words[@]}-1
        rest="${rest#"${part}"}"
        offset+=${#part}
    done
    local -r whole="${COMP_LINE:start:COMP_POINT - start}"
    local -r before="${whole%"${2}"}"
    # What is called sees these in the place of the shell's own.
    local -a COMP_WORDS=("${words[@]}")
    local -i COMP_CWORD="${cword}"
    _compress "${1}" "${whole}" "${words[cword - 1]}"

    local reply are_files=false
    for reply in "${COMPREPLY[@]}"; do
        [[ ! -e "${reply}" ]] || are_files=true
    done
    if "${are_files}"; then
        # readline puts the slash behind folders.
        COMPREPLY=("${COMPREPLY[@]%/}")
    else
        compopt +o filenames 2>/dev/null
        # A value follows name=.
        [[ ${#COMPREPLY[@]} -ne 1 || "${COMPREPLY[0]}" != *= ]] || compopt -o nospace 2>/dev/null
    fi
    COMPREPLY=("${COMPREPLY[@]#"${before}"}")
}

complete -o filenames -F _compress_whole_words compress
