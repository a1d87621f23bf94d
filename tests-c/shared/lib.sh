# What the scripts of this directory are written with beside ../scripts.sh, which sources it, then NAME.sh, in a subshell
# of their own.
# shellcheck shell=bash disable=SC2154 # run.sh sets out, lib, libssl, headers, rounds and name

# The server processes that a test starts.
build_server() { build "${1:-server}" server.c -lssl -lcrypto -pthread; }

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
