# What the scripts of this directory are written with. run.sh sources it, then NAME.sh, in a subshell of their own.
# shellcheck shell=bash disable=SC2154 # run.sh sets out, lib, debug, libssl, headers and name

set -e
bin=$out/bin/$name
mkdir -p "$bin"

# Where the libssl under test lies, and how to build for it.
libssl_dir=${libssl:-$(dirname "$("${CC:-cc}" -print-file-name=libssl.so)")}
flags=(-O1 -g -Wall -Wextra -Werror -Wno-unused-function -DOPENSSL_SUPPRESS_DEPRECATED -D_GNU_SOURCE -I"$here")
[ -z "$headers" ] || flags+=(-I"$headers")
[ -z "$libssl" ] || flags+=(-L"$libssl")

ok() { echo "ok process/$name: $1"; }
fail() { echo "FAIL process/$name: $1"; }
skip() { echo "skip process/$name: $1"; }

# build RESULT SOURCE... [compiler's arguments]: compiles into $bin.
build() {
    local result=$1 compiler=${CC:-cc}
    case " $* " in *.cpp\ *) compiler=${CXX:-c++} ;; esac
    shift
    "$compiler" "${flags[@]}" "$@" -o "$bin/$result" || { fail "$result does not build"; exit 1; }
}

# module RESULT SOURCE... [compiler's arguments]: the same as a shared object.
module() { build "$@" -shared -fPIC; }

# ended LIMIT COMMAND...: runs it in $bin, and prints what it says and how it ends.
ended() {
    local limit=$1 status=0
    shift
    (cd "$bin" && with_segment timeout -k 2 "$limit" env ${libssl:+LD_LIBRARY_PATH="$libssl"} "$@") </dev/null 2>&1 || status=$?
    case $status in
    0) ;;
    124 | 137) echo "[no end within $limit s]" ;;
    *) [ $status -gt 128 ] && echo "[signal $(kill -l $((status - 128)))]" || echo "[exit status $status]" ;;
    esac
}

# is_same LABEL EXPECTED GOT: ok, or a diff. Nothing at all is nothing to compare.
is_same() {
    if [ -n "$3" ] && [ "$2" = "$3" ]; then
        ok "$1"
    else
        fail "$1"
        diff -u --label expected --label got <(echo "$2") <(echo "$3") | head -n 40 || true
    fi
}

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
