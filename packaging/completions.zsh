# What is offered is taken as it is: what stands behind a colon is part of the name (zoo:resnet18) and explains nothing.
# Behind name= and folder/ something follows, so that there is no space.
__compress_complete() {
    local -a begun whole
    begun=("${(@M)@:#*[=/]}")
    whole=("${(@)@:#*[=/]}")
    local -i ret=1
    (( ${#begun} )) && compadd -S '' -a begun && ret=0
    (( ${#whole} )) && compadd -a whole && ret=0
    return "${ret}"
}

