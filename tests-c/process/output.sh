# where the library's text goes: into its own file or standard error, never into a file of the program's
build output output.c -lssl -lcrypto -pthread

# run VARIABLES NAME [gone|asleep]: in a directory of its own, with these standard streams; prints how it ends and what
# it found. What it and the library say on standard error is kept there.
streams='>/dev/null 2>stderr'
# shellcheck disable=SC2086 # the variables are words
run() {
    ended 20 $1 sh -c "rm -rf work && mkdir work && cd work
        ../output \"\$@\" $streams || echo \"status \$?\"
        cat result" "" "${@:2}"
}
in_front() { run "LD_PRELOAD=$lib $1" "${@:2}"; }
# The same as without the library, with the text on standard error and in a file.
as_alone() {
    local alone
    alone=$(run "" "$@")
    for stats in 1 ./stats; do
        is_same "$* ($streams), SSLCACHE_STATS=$stats" "$alone" "$(in_front "SSLCACHE_STATS=$stats SSLCACHE_VERBOSE=1" "$@")"
    done
}
# How many contexts have their statistics in a file.
contexts() { grep -c '^sslcache: .*(interposed)$' "$bin/work/$1" || true; }

as_alone numbers
is_same 'statistics in a file' 2 "$(contexts stats)"
is_same 'and which libssl on standard error' 'sslcache: interposed: in front of ' \
    "$(grep -o '^sslcache: interposed: in front of ' "$bin/work/stderr")"
in_front SSLCACHE_STATS=1 numbers >/dev/null
is_same 'statistics on standard error' 2 "$(contexts stderr)"

as_alone close_above
as_alone start_daemon
as_alone become_daemon
in_front SSLCACHE_STATS=1 become_daemon >/dev/null
is_same 'standard error closed: nowhere' 0 "$(contexts stderr)"
is_same 'standard error closed: not into the data' 0 "$(contexts data)"
streams='2>&-'
as_alone numbers
as_alone start_daemon
streams='<&- >&- 2>&-'
as_alone numbers
is_same 'no standard streams: the file is none of them' 2 "$(contexts stats)"
streams='>/dev/null 2>stderr'

for handling in '' _handled _blocked _pending; do as_alone reader_gone$handling gone; done
as_alone reader_asleep asleep
as_alone no_room
as_alone cancel
as_alone keep_errno

# A file of its own: for its owner alone, opened before the root and the user change.
umask 0
in_front SSLCACHE_STATS=./stats numbers >/dev/null
is_same 'a new file is for its owner alone' 600 "$(stat -c %a "$bin/work/stats")"
in_front SSLCACHE_STATS=/dev/stderr numbers >/dev/null
is_same 'standard error by its name' 2 "$(contexts stderr)"
umask 022
if [ "$(id -u)" = 0 ]; then
    as_alone change_root
    is_same 'another root and another user' 2 "$(contexts stats)"
else
    skip 'another root and another user: not root'
fi

# refuses LABEL PATH WHY: it says so, the program goes on, and the secret stays as it is.
refuses() {
    echo secret >"$bin/secret"
    in_front "SSLCACHE_STATS=$2" numbers >"$bin/refused"
    is_same "$1: a complaint" "sslcache: SSLCACHE_STATS=$2: not opened: $3; taken as 0" "$(cat "$bin/work/stderr")"
    is_same "$1: nothing is written" secret "$(cat "$bin/secret")"
    is_same "$1: the program goes on" "$(run "" numbers)" "$(cat "$bin/refused")"
}
others=$bin/others
rm -rf "$others" && mkdir "$others" && chmod 1777 "$others"
ln -s ../secret "$others/link"
ln -s .. "$others/directory"
echo secret >"$bin/secret"
ln "$bin/secret" "$others/name"
mkfifo "$others/pipe"
link='a symbolic link in a directory that others may change'
refuses 'a link in a directory of everybody' "$others/link" "$link"
refuses 'a link in the middle of a path' "$others/directory/secret" "$link"
refuses 'a second name in a directory of everybody' "$others/name" \
    'a hard link in a directory that others may change'
refuses 'a pipe that nobody reads' "$others/pipe" 'No such device or address'
if [ "$(id -u)" = 0 ]; then
    chmod 755 "$others" && chown 65534 "$others"
    refuses 'a link in the directory of another user' "$others/link" "$link"
else
    skip 'a link in the directory of another user: not root'
fi
