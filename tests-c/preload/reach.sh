#!/usr/bin/env bash
# Whom it helps: real servers with several processes, in their own best setting, as they come, and as
# they come with one line of ours in the environment. Of each: how many connections of a client
# like a browser resume with TLS 1.2 and 1.3, and of the sessions from before how many after a
# reload, after a restart, and after kill -9 of all workers (or of the server, if it is one process).
#
#   tests-c/preload/reach.sh [--table FILE] [SERVER...]
#
# What is seen is held to reach/expected.tsv. --table writes the table into FILE (README.md), between
# its markers. A server is a file in reach/, which sets and defines:
#   title, best        for the table
#   client             how reach/client.c speaks to it
#   configure VARIANT  writes its configuration for $port: best, stock, or another one
#   start              start_server COMMAND...
#   reload             if there is such a thing
#   one_process        set: it has no workers
#   user               of the directory of what is shared, if it is not root that starts it
limit=1500
. "$(dirname "$0")/common.sh"
. "$here/reach/measure.inc"

table=
[ "${1-}" != --table ] || { table=$2; shift 2; }
[ $# -gt 0 ] || set -- $(cut -f1 "$reach/expected.tsv" | grep -v '^#' | uniq)

# --- One server in one variant ---------------------------------------------------------

# measure SERVER VARIANT: appends a line to $tmp/seen.tsv
measure() {
    local name=$1 variant=$2 in_front= seen
    side=$variant preload=
    unset SSLCACHE_SHARED SSLCACHE_SET
    if [ "$variant" = ours ]; then
        preload=$lib
        rm -rf "${shm:?}/$name" && mkdir -m 700 "$shm/$name" && chown "${user-root}" "$shm/$name"
        export SSLCACHE_SHARED=$shm/$name/web SSLCACHE_SET="cache=on tickets=off"
    fi
    new_stats
    free_port
    configure "$variant"
    start || return
    seen=$(steady)
    after_reload >"$tmp/one"; seen="$seen $(cat "$tmp/one")"
    after_restart >"$tmp/one"; seen="$seen $(cat "$tmp/one")"
    after_kill >"$tmp/one"; seen="$seen $(cat "$tmp/one")"
    stop_server TERM
    printf '%s\t%s\t%s\n' "$name" "$variant" "$(xargs <<<"$seen")" >>"$tmp/seen.tsv"
}

# --- What is expected -------------------------------------------------------------------

# "some" stands for what chance decides: from a tenth to nine.
fits() {
    local seen=($1) expected=($2) i
    [ ${#seen[@]} -eq ${#expected[@]} ] || return
    for i in "${!seen[@]}"; do
        case ${expected[i]} in
        some) [[ ${seen[i]} =~ ^[0-9]+$ ]] && [ "${seen[i]}" -ge 10 ] && [ "${seen[i]}" -le 90 ] || return ;;
        *) [ "${seen[i]}" = "${expected[i]}" ] || return ;;
        esac
    done
}

# One server in all its variants, in a shell of its own: what it defines ends with it.
one_server() (
    trap stop_servers EXIT
    name=$1
    . "$reach/$name.sh"
    while IFS=$'\t' read -r _ variant expected; do
        measure "$name" "$variant"
        seen=$(grep -P "^$name\t$variant\t" "$tmp/seen.tsv" | cut -f3)
        if fits "$seen" "$expected"; then ok "$name: $seen"; else fail "$name: $seen, expected $expected"; fi
    done < <(grep -P "^$name\t" "$reach/expected.tsv")
    side=
    printf '%s\t%s\t%s\n' "$name" "$title" "$best" >>"$tmp/titles.tsv"
    exit "$failed"
)

: >"$tmp/seen.tsv"
: >"$tmp/titles.tsv"
for name in "$@"; do
    [ -f "$reach/$name.sh" ] || { fail "no server $name"; continue; }
    one_server "$name"
    case $? in 0 | 77) ;; *) failed=1 ;; esac
done
cat "$tmp/seen.tsv"
finish
