
# readline splits words at ":" and "=", and what stands above takes each part for a word of its own. Here zoo:NAME and
# name=value are one word again, --option=value is two, as with a space between them, and what is offered loses what
# stands before the part that readline completes. A path may begin at home.
_compress_whole_words() {
    local -a words=()
    local -i index cword=0 start=0 offset=0
    local rest="${COMP_LINE}" part lead is_value=false
    for ((index = 0; index < ${#COMP_WORDS[@]}; index++)); do
        part="${COMP_WORDS[index]}"
        lead="${rest%%[![:space:]]*}"
        rest="${rest#"${lead}"}"
        offset+=${#lead}
        if [[ index -gt 0 && -z "${lead}" && "${part}" == "=" && "${words[-1]}" == --* && "${words[-1]}" != *=* ]]; then
            [[ index -gt COMP_CWORD ]] || start=${offset}+1
            # The cursor stands behind it: the value is empty still.
            if [[ index -eq COMP_CWORD ]]; then words+=(''); else is_value=true; fi
        elif [[ index -eq 0 || -n "${lead}" ]] || "${is_value}"; then
            words+=("${part}")
            [[ index -gt COMP_CWORD ]] || start=${offset}
            is_value=false
        else
            words[-1]+="${part}"
        fi
        [[ index -ne COMP_CWORD ]] || cword=${#words[@]}-1
        rest="${rest#"${part}"}"
        offset+=${#part}
    done
    local whole="${COMP_LINE:start:COMP_POINT - start}"
    local -r before="${whole%"${2}"}"
    local is_home=false
    if [[ "${whole}" == "~/"* && -n "${HOME}" ]]; then
        is_home=true
        whole="${HOME}${whole:1}"
        words[cword]="${HOME}${words[cword]:1}"
    fi
    # What is called sees these in the place of the shell's own.
    local -a COMP_WORDS=("${words[@]}")
    local -i COMP_CWORD="${cword}"
    local COMP_LINE="${words[*]:0:cword} ${whole}"
    local -i COMP_POINT="${#COMP_LINE}"
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
    if "${is_home}"; then COMPREPLY=("${COMPREPLY[@]/#"${HOME}/"/\~/}"); fi
    COMPREPLY=("${COMPREPLY[@]#"${before}"}")
}

complete -o filenames -F _compress_whole_words compress
