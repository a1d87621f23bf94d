#!/usr/bin/env bash
# Whom it helps: real servers with several processes, in their own best setting, as they come, and as
# they come with one line of ours in the environment. Of each: how many connections of a client
# like a browser resume with TLS 1.2 and 1.3, and of the sessions from before how many after a
# reload, after a restart, and after kill -9 of all workers (or of the server, if it is one process).
#
#   tests-c/preload/reach.sh [--table FILE] [SERVER...]
#
# What is seen is held to reach/expected.tsv. --table writes what was seen into FILE (README.md),
# between its markers; --check only says whether the table in FILE has the servers of expected.tsv, and
# figures that fit. A server is a file in reach/, which sets and defines:
#   title, best        for the table
#   client             how reach/client.c speaks to it
#   configure VARIANT  writes its configuration for $port: best, stock, or another one
#   start              start_server COMMAND...
#   reload             if there is such a thing
#   one_process        set: it has no workers
#   worker             the name of its workers, if they come when they are needed
#   also               what it needs in SSLCACHE_SET beside cache=on tickets=off
#   user               of the directory of what is shared, if it is not root that starts it
limit=1500
. "$(dirname "$0")/common.sh"

# "some" stands for what chance decides: some, and not all; "most" for half or more. "-": there is no such thing.
fits() {
    local seen=($1) expected=($2) i
    [ ${#seen[@]} -eq ${#expected[@]} ] || return
    for i in "${!seen[@]}"; do
        case ${expected[i]} in
        some) [[ ${seen[i]} =~ ^[0-9]+$ ]] && [ "${seen[i]}" -ge 1 ] && [ "${seen[i]}" -le 99 ] || return ;;
        most) [[ ${seen[i]} =~ ^[0-9]+$ ]] && [ "${seen[i]}" -ge 50 ] || return ;;
        *) [ "${seen[i]}" = "${expected[i]}" ] || return ;;
        esac
    done
}

# --- The table --------------------------------------------------------------------------

expected=$here/reach/expected.tsv
listed() { grep -v '^#' "$expected" | cut -f1 | uniq; }

# A row is: title | best: figures | figures | figures.
row() { # SERVER TITLE BEST, what was seen in $tmp/seen.tsv
    local variant cells=()
    for variant in best stock ours; do
        cells+=("$(grep -P "^$1\t$variant\t" "$tmp/seen.tsv" | cut -f3 | sed 's/ /, /g; s/, / \/ /')")
    done
    echo "| $2 | $3: ${cells[0]} | ${cells[1]} | ${cells[2]} |"
}

write_table() {
    local name title best
    {
        echo "| server | its own best setting | as it comes | as it comes, with us |"
        echo "| --- | --- | --- | --- |"
        while IFS=$'\t' read -r name title best; do row "$name" "$title" "$best"; done <"$tmp/titles.tsv"
    } >"$tmp/table"
    fill "$1" "whom it helps" "$tmp/table"
}

# The figures of the cells of a row, as expected.tsv has them.
figures() { sed -E 's/.*: //; s/,//g; s/ \/ / /' <<<"$1" | xargs; }
check_table() {
    local name title best b s o
    side=
    sed -n '/^<!-- whom it helps -->/,/^<!-- \/whom/p' "$1" | grep '^| ' | tail -n +3 >"$tmp/rows"
    expect "$1: servers in the table" "$(cut -d'|' -f2 "$tmp/rows" | xargs -d'\n' -n1 | paste -sd';' | sed 's/ *; */;/g; s/^ *//; s/ *$//')" \
        "$(for name in $(listed); do sed -n 's/^title="\(.*\)"/\1/p' "$here/reach/$name.sh"; done | paste -sd';')"
    for name in $(listed); do
        title=$(sed -n 's/^title="\(.*\)"/\1/p' "$here/reach/$name.sh")
        IFS='|' read -r _ _ b s o _ < <(grep -F "| $title |" "$tmp/rows")
        for variant in "best $b" "stock $s" "ours $o"; do
            fits "$(figures "${variant#* }")" "$(grep -P "^$name\t${variant%% *}\t" "$expected" | cut -f3)" ||
                fail "$1: $title, ${variant%% *}: $(figures "${variant#* }") is not what is expected"
        done
    done
}
if [ "${1-}" = --check ]; then
    check_table "$2"
    finish
fi

. "$here/reach/measure.inc"
table=
[ "${1-}" != --table ] || { table=$2; shift 2; }
[ $# -gt 0 ] || set -- $(listed)

# --- One server in one variant ---------------------------------------------------------

# measure SERVER VARIANT: appends a line to $tmp/seen.tsv
measure() {
    local name=$1 variant=$2 in_front= seen
    side=$variant preload=
    unset SSLCACHE_SHARED SSLCACHE_SET
    if [ "$variant" = ours ]; then
        preload=$lib
        rm -rf "${shm:?}/$name" && mkdir -m 700 "$shm/$name" && chown "${user-root}" "$shm/$name"
        export SSLCACHE_SHARED=$shm/$name/web SSLCACHE_SET="cache=on tickets=off${also:+ $also}"
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

# One server in all its variants, in a shell of its own: what it defines ends with it.
one_server() (
    trap stop_servers EXIT
    name=$1
    . "$reach/$name.sh"
    while IFS=$'\t' read -r _ variant figures; do
        measure "$name" "$variant"
        seen=$(grep -P "^$name\t$variant\t" "$tmp/seen.tsv" | cut -f3)
        if fits "$seen" "$figures"; then ok "$name: $seen"; else fail "$name: $seen, expected $figures"; fi
    done < <(grep -P "^$name\t" "$expected")
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
if [ -n "$table" ] && [ $failed -eq 0 ]; then write_table "$table"; fi
finish
