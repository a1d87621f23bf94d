#!/usr/bin/env bash
# Several processes with one cache (SSLCACHE_SHARED): who finds what, and what happens when something is wrong.
set -u
unset "${!SSLCACHE_@}" # each process is told its own

usage() {
    cat <<'END'
usage: tests-c/shared/run.sh [--only NAME ...] [--long] [--lib PATH] [--libssl DIR --headers DIR --out DIR]

Server processes with the library in front of libssl and one cache for all, and real handshakes with them, TLS 1.2,
TLS 1.3 and DTLS 1.2. Closes with "N passed, N failed"; exits 1 if anything failed.

  --only NAME    this script alone (may be given more than once)
  --list         the names, each with what it is about, and end
  --long         the loops that look for a race, twenty times as long
  --lib PATH     the library to test (default target/release/libsslcache.so)
  --libssl DIR   another libssl.so and libcrypto.so, with
  --headers DIR  the headers of that release, and
  --out DIR      a place of its own for the programs and their output (default target/shared)
  --help         this text
END
}

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
lib=$root/target/release/libsslcache.so
out=$root/target/shared
libssl='' headers='' rounds=1
only=()

. "$here/../scripts.sh"

while [ $# -gt 0 ]; do
    case $1 in
    --only) only+=("${2:?--only needs a name}"); shift ;;
    --list) list; exit 0 ;;
    --long) rounds=20 ;;
    --lib) lib=$(realpath -m "${2:?--lib needs a path}"); shift ;;
    --libssl) libssl=$(realpath -m "${2:?--libssl needs a directory}"); shift ;;
    --headers) headers=$(realpath -m "${2:?--headers needs a directory}"); shift ;;
    --out) out=$(realpath -m "${2:?--out needs a directory}"); shift ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
[ -f "$lib" ] || { echo "no library at $lib (make lib)" >&2; exit 2; }
run_scripts "${only[@]}"
