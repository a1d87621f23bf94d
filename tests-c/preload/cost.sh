#!/usr/bin/env bash
# What a resumed connection costs nginx with two workers: with nginx's own zone (ssl_session_cache
# shared), and with the library in front and SSLCACHE_SHARED in its place. All servers run, and are
# connected to in turn; what counts is the processor time of their workers for a connection with its
# request, the median of the runs.
#
#   tests-c/preload/cost.sh [--runs N] [--table FILE]
#
# --table writes the table into FILE (docs/performance.md), between its markers.
limit=900
. "$(dirname "$0")/common.sh"

runs=11 table=
while [ $# -gt 0 ]; do
    case $1 in
    --runs) runs=$2; shift ;;
    --table) table=$2; shift ;;
    *) echo "cost.sh: unknown argument $1" >&2; exit 2 ;;
    esac
    shift
done
. "$here/reach/measure.inc"
workers=2
. "$reach/nginx.sh"

# serve NAME VARIANT [SET]: leaves its port and its workers in ports and processes.
declare -A ports processes
serve() {
    preload=
    unset SSLCACHE_SHARED SSLCACHE_SET
    if [ $# -gt 2 ]; then
        preload=$lib
        export SSLCACHE_SHARED=$shm/$1 SSLCACHE_SET=$3
    fi
    free_port
    configure "$2"
    start || exit 1
    sleep 0.3
    ports[$1]=$port processes[$1]=$(workers_of)
}

spent() { # nanoseconds of these processes
    local pid all=0 ns
    for pid in ${processes[$1]}; do
        read -r ns _ <"/proc/$pid/schedstat"
        all=$((all + ns))
    done
    echo $all
}

connections=960
measure() { # NAME TLS: appends the nanoseconds of a connection
    local before resumed all
    before=$(spent "$1")
    read -r resumed all < <("$tmp/client" --port "${ports[$1]}" --tls "$2" --rounds $((connections / 8)) --at-once 8 "${client[@]}")
    [ "$resumed" = "$all" ] || fail "$1, TLS $2: $resumed of $all resumed"
    echo $((($(spent "$1") - before) / (connections + 8))) >>"$tmp/$1.$2"
}

median() { sort -n "$1" | sed -n "$((($(wc -l <"$1") + 1) / 2))p"; }

settings=(zone builtin none)
serve zone best
serve builtin builtin "tickets=off"
serve none stock "cache=on tickets=off"
for ((run = -1; run < runs; run++)); do
    for tls in 1.2 1.3; do
        for name in "${settings[@]}"; do measure "$name" $tls; done
    done
    [ $run -ge 0 ] || rm -f "$tmp"/{zone,builtin,none}.1.? # the first warms up
done

{
    echo "| processor time of a resumed connection, nginx, 2 workers | TLS 1.2 | TLS 1.3 |"
    echo "|---|--:|--:|"
    for name in "${settings[@]}"; do
        case $name in
        zone) what='`ssl_session_cache shared`' ;;
        builtin) what='`builtin`, SSLCACHE_SHARED' ;;
        none) what='none, SSLCACHE_SHARED and `cache=on`' ;;
        esac
        cells=
        for tls in 1.2 1.3; do
            cells="$cells | $(awk -v us="$(median "$tmp/$name.$tls")" -v zone="$(median "$tmp/zone.$tls")" -v name=$name \
                'BEGIN { printf "%.0f us", us / 1000; if (name != "zone") printf " (%.2fx)", us / zone }')"
        done
        echo "| $what$cells |"
    done
} >"$tmp/table"
cat "$tmp/table"
if [ -n "$table" ] && [ $failed -eq 0 ]; then fill "$table" workers "$tmp/table"; fi
finish
