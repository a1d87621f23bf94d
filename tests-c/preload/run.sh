#!/usr/bin/env bash
# Runs the scripts of this directory: real programs, without the library and with it.
set -u
cd "$(dirname "$0")" || exit 1

quick=(hostile openssl python nginx shared)
rest=(ruby perl curl apache haproxy stunnel vsftpd h2o memcached redis mosquitto hitch reach)

usage() {
    cat <<HELP
usage: tests-c/preload/run.sh [OPTION...]

Runs real programs twice, on plain libssl and with the library in front (LD_PRELOAD), and
expects the same of both. Packages that are missing are installed with apt when root;
otherwise their programs are skipped by name.

  --quick       only what needs no package beyond openssl, python3 and nginx-light
  --only NAME   only this program (may be given more than once)
  --list        print the names and end
  --shared      the library with SSLCACHE_SHARED
  --without     only the runs on plain libssl: what the expectations are worth
  --no-install  install nothing: skip what is missing
  --help        this text

environment: SSLCACHE_LIB   the library (default: target/release/libsslcache.so)
             SSLCACHE_KEEP  when set, temporary directories are kept

programs: ${quick[*]}
          ${rest[*]}
HELP
}

known() { [[ " ${quick[*]} ${rest[*]} " == *" $1 "* ]]; }

chosen=()
scripts=("${quick[@]}" "${rest[@]}")
while [ $# -gt 0 ]; do
    case $1 in
    --quick) scripts=("${quick[@]}") ;;
    --only)
        known "${2-}" || { echo "no such program: ${2-} (--list shows them)" >&2; exit 2; }
        chosen+=("$2")
        shift
        ;;
    --list) printf '%s\n' "${scripts[@]}"; exit 0 ;;
    --shared) export SSLCACHE_SHARING=yes ;;
    --without) export SSLCACHE_SIDES=without ;;
    --no-install) export SSLCACHE_INSTALL=no ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
# Those two have it in any case.
[ -z "${SSLCACHE_SHARING-}" ] || scripts=($(printf '%s\n' "${scripts[@]}" | grep -vxE 'shared|reach'))
[ ${#chosen[@]} -eq 0 ] || scripts=("${chosen[@]}")

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

for script in "${scripts[@]}"; do
    : >"$log.one"
    ./"$script".sh 2>&1 | tee "$log.one"
    status=${PIPESTATUS[0]}
    # A script that was killed may not have had the time to say so.
    case $status in
    0 | 77) ;;
    *) grep -q '^FAIL' "$log.one" || echo "FAIL $script: exit status $status" | tee -a "$log.one" ;;
    esac
    cat "$log.one" >>"$log"
    rm -f "$log.one"
done

count() { grep -c "^$1 " "$log"; }
if [ "$(count FAIL)" -gt 0 ]; then
    echo
    grep '^FAIL ' "$log"
fi
echo
echo "$(count ok) passed, $(count FAIL) failed, $(count skip) skipped"
[ "$(count FAIL)" -eq 0 ]
