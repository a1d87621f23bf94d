# What the scripts of this directory are written with beside ../scripts.sh, which sources it, then NAME.sh, in a subshell
# of their own.
# shellcheck shell=bash disable=SC2154 # run.sh sets out, lib, debug, libssl, headers and name

# Where the libssl under test lies.
libssl_dir=${libssl:-$(dirname "$("${CC:-cc}" -print-file-name=libssl.so)")}

# module RESULT SOURCE... [compiler's arguments]: the same as a shared object.
module() { build "$@" -shared -fPIC; }

# same LIMIT COMMAND...: with the library in front the same as on libssl alone.
same() { same_with "$lib" "$@"; }
# The same with the debug build, whose assertions and whose frames are others.
same_debug() { same_with "$debug" "$@"; }
same_with() {
    local in_front=$1 label
    shift
    label=${*:2}
    [ "$in_front" != "$debug" ] || label+=' (debug build)'
    local alone
    alone=$(ended "$@")
    case $alone in
    *'[signal '* | *'[no end '* | *'[exit status '*) fail "$label: libssl alone: $alone"; return 0 ;;
    esac
    is_same "$label" "$alone" "$(ended "$1" LD_PRELOAD="$in_front" "${@:2}")"
}

# says LABEL EXPECTED LIMIT COMMAND...: with the library in front it says exactly this.
says() { is_same "$1" "$2" "$(ended "$3" LD_PRELOAD="$lib" "${@:4}")"; }
