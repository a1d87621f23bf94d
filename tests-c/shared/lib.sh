# What the scripts of this directory are written with. run.sh sources it, then NAME.sh, in a subshell of their own.
# shellcheck shell=bash disable=SC2154 # run.sh sets out, lib, libssl, headers, rounds and name

set -e
bin=$out/bin/$name
mkdir -p "$bin"
flags=(-O1 -g -Wall -Wextra -Werror -Wno-unused-function -DOPENSSL_SUPPRESS_DEPRECATED -D_GNU_SOURCE -I"$here")
[ -z "$headers" ] || flags+=(-I"$headers")
[ -z "$libssl" ] || flags+=(-L"$libssl")

ok() { echo "ok shared/$name: $1"; }
fail() { echo "FAIL shared/$name: $1"; }
skip() { echo "skip shared/$name: $1"; }

# build RESULT SOURCE... [compiler's arguments]: compiles into $bin.
build() {
    local result=$1
    shift
    "${CC:-cc}" "${flags[@]}" "$@" -o "$bin/$result" || { fail "$result does not build"; exit 1; }
}

# The server processes that a test starts.
build_server() { build "${1:-server}" server.c -lssl -lcrypto -pthread; }

# ended LIMIT COMMAND...: runs it in $bin, and prints what it says and how it ends.
ended() {
    local limit=$1 status=0
    shift
    (cd "$bin" && timeout -k 2 "$limit" env ${libssl:+LD_LIBRARY_PATH="$libssl"} "$@") </dev/null 2>&1 || status=$?
    case $status in
    0) ;;
    124 | 137) echo "[no end within $limit s]" ;;
    *) [ $status -gt 128 ] && echo "[signal $(kill -l $((status - 128)))]" || echo "[exit status $status]" ;;
    esac
}

# runs LIMIT COMMAND...: a program that says "ok" or "FAIL" itself. One that says anything else at its end has failed.
runs() {
    local said
    said=$(ended "$1" SSLCACHE_LIBRARY="$lib" ROUNDS="$rounds" "${@:2}")
    echo "$said"
    case $(tail -n 1 <<<"$said") in
    '[exit status 1]') grep -q '^FAIL ' <<<"$said" || fail "${*:2} ends badly" ;;
    '['*) fail "${*:2} does not end" ;;
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
