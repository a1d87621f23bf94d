#!/usr/bin/env bash
# Runs programs that are odd as processes: each on libssl alone and with the library in front.
set -u

usage() {
    cat <<'END'
usage: tests-c/process/run.sh [--only NAME ...] [--shared] [--lib PATH] [--debug PATH]
                              [--libssl DIR --headers DIR --out DIR]

Programs whose process is unusual: several libssl, plugins, private copies, fork, signals, foreign unwinding, no
memory. Each NAME.sh builds its programs and says what must be the same with and without the library; each run has a
time limit. Closes with "N passed, N failed"; exits 1 if anything failed.

  --only NAME    this script alone (may be given more than once)
  --list         the names, each with what it is about, and end
  --shared       with SSLCACHE_SHARED
  --lib PATH     the library to test (default target/release/libsslcache.so)
  --debug PATH   its debug build, for what is also run with that one (default target/debug/libsslcache.so)
  --libssl DIR   another libssl.so and libcrypto.so, with
  --headers DIR  the headers of that release, and
  --out DIR      a place of its own for the programs and their output (default target/process)
  --help         this text
END
}

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
lib=$root/target/release/libsslcache.so
debug=$root/target/debug/libsslcache.so
out=$root/target/process
libssl='' headers=''
only=()

. "$here/../scripts.sh"

while [ $# -gt 0 ]; do
    case $1 in
    --only) only+=("${2:?--only needs a name}"); shift ;;
    --list) list; exit 0 ;;
    --shared) shared=yes ;;
    --lib) lib=$(realpath -m "${2:?--lib needs a path}"); shift ;;
    --debug) debug=$(realpath -m "${2:?--debug needs a path}"); shift ;;
    --libssl) libssl=$(realpath -m "${2:?--libssl needs a directory}"); shift ;;
    --headers) headers=$(realpath -m "${2:?--headers needs a directory}"); shift ;;
    --out) out=$(realpath -m "${2:?--out needs a directory}"); shift ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
for built in "$lib" "$debug"; do
    [ -f "$built" ] || { echo "no library at $built (make lib, cargo build)" >&2; exit 2; }
done
run_scripts "${only[@]}"
