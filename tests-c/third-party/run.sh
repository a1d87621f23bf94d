#!/usr/bin/env bash
# Runs test suites that others wrote, without the library and with it, and compares test by test.
set -u
cd "$(dirname "$0")" || exit 1

suites=(ruby net-ssleay io-socket-ssl python rust-openssl)

usage() {
    cat <<HELP
usage: tests-c/third-party/run.sh [OPTION...]

Fetches test suites of programs that use OpenSSL's session cache, by the registries' own clients
(apt-get, cargo), into target/third-party. Runs each on plain libssl and with the library in front
(LD_PRELOAD); every single test must end the same way. What cannot be fetched is skipped by name.

  --quick       only the tests that are about sessions
  --shared      the library with SSLCACHE_SHARED
  --only NAME   only this suite (may be given more than once)
  --list        print the names and end
  --no-install  install nothing: skip what is missing
  --help        this text

environment: SSLCACHE_LIB   the library (default: target/release/libsslcache.so)
             SSLCACHE_KEEP  when set, temporary directories are kept

suites: ${suites[*]}
HELP
}

known() { [[ " ${suites[*]} " == *" $1 "* ]]; }

chosen=()
while [ $# -gt 0 ]; do
    case $1 in
    --quick) export SSLCACHE_QUICK=1 ;;
    --shared) export SSLCACHE_SHARING=yes ;;
    --only)
        known "${2-}" || { echo "no such suite: ${2-} (--list shows them)" >&2; exit 2; }
        chosen+=("$2")
        shift
        ;;
    --list) printf '%s\n' "${suites[@]}"; exit 0 ;;
    --no-install) export SSLCACHE_INSTALL=no ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
[ ${#chosen[@]} -eq 0 ] || suites=("${chosen[@]}")

log=$(mktemp) || exit 1
trap 'rm -f "$log" "$log.one"' EXIT

for suite in "${suites[@]}"; do
    ./"$suite".sh 2>&1 | tee "$log.one"
    status=${PIPESTATUS[0]}
    # A script that was killed may not have had the time to say so.
    case $status in
    0 | 77) ;;
    *) grep -q '^FAIL' "$log.one" || echo "FAIL $suite: exit status $status" | tee -a "$log.one" ;;
    esac
    cat "$log.one" >>"$log"
done

count() { grep -c "^$1 " "$log"; }
skipped=$(count skip)
echo "$(count ok) passed, $(count FAIL) failed$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
[ "$(count FAIL)" -eq 0 ] && [ "$(count ok)" -gt 0 ]
