# Shared by the scripts of this directory; read with `. common.sh`, never run.
#
# A script tells one program's story twice: on the side "without" (plain libssl) and on the
# side "with" (the library in front). Both sides are held to the same expectations, and
# `in_front` proves which side is which: it must find the library's counters on one side
# and must find nothing on the other.
#
#   SSLCACHE_LIB     the library to put in front (default: target/release/libsslcache.so)
#   SSLCACHE_SIDES   "without with" (default), or only one of them
#   SSLCACHE_SHARING when set: the side "with" has SSLCACHE_SHARED
#   SSLCACHE_INSTALL "no": never install a package, skip instead
#   limit            set before reading this file: seconds the whole script may take
set -u
export LC_ALL=C

# A script that hangs ends here, with everything it started: timeout signals its whole group.
if [ -z "${SSLCACHE_TIMED-}" ]; then
    SSLCACHE_TIMED=1 exec timeout -k 10 "${limit:-120}" bash "$0" "$@"
fi
unset SSLCACHE_TIMED LD_PRELOAD SSLCACHE_STATS SSLCACHE_VERBOSE SSLCACHE_SHARED SSLCACHE_SET

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
program=$(basename "$0" .sh)
lib=${SSLCACHE_LIB:-$root/target/release/libsslcache.so}
sides=${SSLCACHE_SIDES:-without with}
PATH=$PATH:/usr/sbin:/sbin
. "$here/../segment.sh"
shared=${SSLCACHE_SHARING-}

side=
preload=     # what LD_PRELOAD is: the library on the side "with"
companion=   # something a script wants preloaded on both sides
stats=       # where the library writes its counters when a process of this side ends
failed=0
server=      # pid of the server that runs now
servers=()   # every pid this script started and has not seen end
shm=         # a directory in memory, if the script has made one for what processes share

tmp=$(mktemp -d "${TMPDIR:-/tmp}/sslcache-$program.XXXXXX") || exit 1
chmod 755 "$tmp" # servers that change their user still read the certificate

stop_servers() {
    local pid
    for pid in "${servers[@]}"; do
        kill "$pid" 2>/dev/null && { sleep 0.2; kill -9 "$pid" 2>/dev/null; }
    done
}

clean_up() {
    stop_servers
    if [ -n "${SSLCACHE_KEEP-}" ]; then
        echo "kept: $tmp"
    else
        rm -rf "$tmp" ${shm:+"$shm"}
    fi
}
trap 'clean_up' EXIT
trap 'echo "FAIL $program: interrupted or out of time${side:+ ($side)}"; exit 1' TERM INT

# --- What was seen --------------------------------------------------------------------

say() { # say ok|FAIL|skip TEXT
    printf '%-4s %s%s: %s\n' "$1" "$program" "${side:+ ($side)}" "$2"
}
ok() { say ok "$1"; }
fail() {
    say FAIL "$1"
    failed=1
}
skip() { say skip "$1"; }

# The whole script cannot run here.
skip_all() {
    side=
    skip "$1"
    exit 77
}

# expect WHAT SEEN EXPECTED
expect() {
    if [ "$2" = "$3" ]; then ok "$1: $2"; else fail "$1: $2, expected $3"; fi
}

# expect_that WHAT COMMAND...: the command succeeds
expect_that() {
    local what=$1
    shift
    if "$@"; then ok "$what"; else fail "$what"; fi
}

# fill FILE MARK TEXT: puts the file TEXT between the comments MARK and /MARK of FILE.
fill() {
    { echo; cat "$3"; echo; } >"$3.filled"
    sed -i -e "/^<!-- $2 -->/,/^<!-- \/$2 -->/{//!d}" -e "/^<!-- $2 -->/r $3.filled" "$1"
    echo "written into $1"
}

# Last line of every script.
finish() { exit "$failed"; }

# --- The two sides --------------------------------------------------------------------

# on_both_sides FUNCTION: runs it once per side.
on_both_sides() {
    for side in $sides; do
        preload=$companion
        if [ "$side" = with ]; then
            [ -f "$lib" ] || { fail "no library at $lib"; continue; }
            preload="$lib${companion:+ $companion}"
        fi
        new_stats
        if [ "$side" = with ]; then with_segment "$1"; else "$1"; fi
    done
    side=
    preload=
}

# Whether this side has SSLCACHE_SHARED.
is_shared_here() { [ -n "$shared" ] && [ "$side" = with ]; }

# A fresh file for the counters; a server that changed its user may still write there.
new_stats() {
    mkdir -p "$tmp/stats" && chmod 1777 "$tmp/stats"
    stats=$(mktemp -u "$tmp/stats/$side.XXXXXX")
}

# fronted SECONDS COMMAND...: a command of this side, in the foreground.
fronted() {
    local seconds=$1
    shift
    timeout "$seconds" env ${preload:+LD_PRELOAD="$preload"} SSLCACHE_STATS="$stats" "$@"
}

# For programs that end by _exit(), which runs no exit handlers: there the library cannot
# speak. On both sides _exit() becomes exit(), so that its counters can be read.
exit_by_handlers() {
    companion=$tmp/exit_by_handlers.so
    printf '#include <stdlib.h>\nvoid _exit(int status) { exit(status); }\n' >"$tmp/exit.c"
    cc -shared -fPIC "$tmp/exit.c" -o "$companion" 2>/dev/null || skip_all "no C compiler"
    chmod 755 "$companion"
}

# counter NAME: the library's counter, summed over all processes and contexts of this side.
counter() {
    [ -f "$stats" ] || { echo 0; return; }
    grep -ohE "\<$1[ =:]+[0-9]+" "$stats" | awk '{ sub(/.*[ =:]/, ""); n += $0 } END { print n + 0 }'
}

# in_front COUNTER...: the counters moved on the side "with". The very same look must find
# nothing on the side "without", or it would prove nothing.
in_front() {
    local name value seen=
    if [ "$side" = without ]; then
        expect "no statistics without the library" "$(ls "$stats" 2>/dev/null)" ""
        return
    fi
    for name in "$@"; do
        value=$(counter "$name")
        [ "$value" -gt 0 ] || { fail "in front: the library counted no $name"; return; }
        seen="$seen $name=$value"
    done
    ok "in front:$seen"
}

# --- Packages -------------------------------------------------------------------------

# need COMMAND PACKAGE...: installs the packages if the command is missing, or skips.
need() {
    local command=$1
    shift
    command -v "$command" >/dev/null || install "$@"
    command -v "$command" >/dev/null || skip_all "$command is missing (package $*)"
}

install() {
    [ "${SSLCACHE_INSTALL-}" != no ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || return 1
    # The packages' servers must not start by themselves.
    local policy=/usr/sbin/policy-rc.d ours=
    [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy && ours=1; }
    {
        timeout 300 env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" || {
            timeout 120 apt-get update
            timeout 300 env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
        }
    } >"$tmp/apt.log" 2>&1
    [ -z "$ours" ] || rm -f $policy
}

# --- Servers --------------------------------------------------------------------------

make_certificate() {
    cert=$tmp/cert.pem key=$tmp/key.pem both=$tmp/both.pem
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj /CN=localhost -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
        -keyout "$key" -out "$cert" 2>/dev/null || skip_all "openssl makes no certificate"
    cat "$key" "$cert" >"$both"
    chmod 644 "$key" "$cert" "$both"
}

# State 0A is LISTEN. Nobody connects: a server that counts its clients is not disturbed.
is_listening() {
    grep -qsE ":$(printf '%04X' "$1") [0-9A-F]+:0000 0A" /proc/net/tcp /proc/net/tcp6
}

# Sets `port`.
free_port() {
    for _ in $(seq 50); do
        port=$((20000 + RANDOM % 10000))
        is_listening "$port" || return 0
    done
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
    local tenths=$(($1 * 10))
    shift
    while ! "$@"; do
        [ $((tenths -= 1)) -gt 0 ] || return 1
        sleep 0.1
    done
}

gone() { ! kill -0 "$1" 2>/dev/null; }
listening_or_gone() { is_listening "$port" || gone "$server"; }

# start_server COMMAND...: in front of it what this side wants; returns when it listens on
# $port. The command must stay in the foreground: $server is its pid.
start_server() {
    (exec env ${preload:+LD_PRELOAD="$preload"} SSLCACHE_STATS="$stats" "$@") >"$tmp/server.log" 2>&1 &
    server=$!
    servers+=("$server")
    wait_for 20 listening_or_gone
    is_listening "$port" && return 0
    fail "$1 does not listen: $(tail -n 2 "$tmp/server.log" | tr '\n' ' ' | cut -c1-300)"
    stop_server KILL
    return 1
}

# stop_server [SIGNAL]: sets `status`, the server's exit status.
stop_server() {
    kill "-${1:-TERM}" "$server" 2>/dev/null
    wait_for 10 gone "$server" || {
        fail "the server does not end"
        kill -KILL "$server"
    }
    wait "$server" 2>/dev/null
    status=$?
    forget "$server"
    server=
}

forget() {
    local pid left=()
    for pid in "${servers[@]}"; do [ "$pid" = "$1" ] || left+=("$pid"); done
    servers=("${left[@]}")
}

# --- Clients --------------------------------------------------------------------------
# The clients run without the library unless a script says otherwise: one thing at a time.

request='GET / HTTP/1.0\r\n\r\n' # what a client sends; a script for another protocol sets it

client_preload=                  # what LD_PRELOAD is for the clients

# count_sessions FILE: "1N 5R"
count_sessions() {
    echo "$(grep -c '^New, TLS' "$1")N $(grep -c '^Reused, TLS' "$1")R"
}

# until_seen COMMAND...: at most two seconds, and no longer than the client lives. s_client
# leaves at the end of its standard input; it must not leave before it has what we want.
until_seen() {
    local tries=100
    until "$@" || grep -q '^closed' "$tmp/client.log" || [ $((tries -= 1)) -eq 0 ]; do sleep 0.02; done
}
handshaken() { # handshaken PROTOCOL SESSION_FILE: with TLS 1.3 the session comes later
    if [ "$1" = tls1_3 ]; then [ -s "$2" ]; else grep -qE '^(New|Reused), TLS' "$tmp/client.log"; fi
}
all_connected() { [ "$(grep -cE '^(New|Reused), TLS' "$tmp/client.log")" -ge 6 ]; }

# handshake PROTOCOL SESSION_FILE [OPTION...]: one connection that offers the session in the
# file (if there is one) and keeps the new one there. Prints N or R.
handshake() {
    local protocol=$1 session=$2 offer=()
    shift 2
    [ ! -s "$session" ] || offer=(-sess_in "$session")
    : >"$tmp/client.log"
    { printf "$request"; until_seen handshaken "$protocol" "$session.new"; sleep 0.05; } |
        timeout 10 env ${client_preload:+LD_PRELOAD="$client_preload"} \
            openssl s_client -connect "127.0.0.1:$port" "-$protocol" "$@" \
            "${offer[@]}" -sess_out "$session.new" >"$tmp/client.log" 2>&1
    [ ! -s "$session.new" ] || mv "$session.new" "$session"
    if grep -q '^Reused, TLS' "$tmp/client.log"; then echo R
    elif grep -q '^New, TLS' "$tmp/client.log"; then echo N
    else echo failed; fi
}

# six_handshakes PROTOCOL [OPTION...]: one full handshake, five that want to resume it.
six_handshakes() {
    local protocol=$1 session seen=
    shift
    session=$(mktemp "$tmp/session.XXXXXX")
    for _ in 1 2 3 4 5 6; do seen="$seen$(handshake "$protocol" "$session" "$@") "; done
    case $seen in
    *failed*) echo "$seen" ;;
    *) echo "$(grep -o N <<<"$seen" | grep -c .)N $(grep -o R <<<"$seen" | grep -c .)R" ;;
    esac
}

# six_reconnects [OPTION...]: the same by s_client's own -reconnect (TLS 1.2 only). It comes
# back at once, and a server stores a session after it sent its last message: only a server
# with one thread has surely stored it by then.
six_reconnects() {
    : >"$tmp/client.log"
    until_seen all_connected |
        timeout 20 openssl s_client -connect "127.0.0.1:$port" -tls1_2 -reconnect "$@" >"$tmp/client.log" 2>&1
    count_sessions "$tmp/client.log"
}

# many_connections SECONDS new|reuse PROTOCOL: what s_time manages, one after the other; its output
# in $tmp/s_time.log. Every connection is one letter: r reused, t or * new. Sets `reused` and
# `fresh`. Reading a page makes the client wait for the tickets of TLS 1.3.
many_connections() {
    timeout $(($1 + 20)) openssl s_time -connect "127.0.0.1:$port" "-$2" "-$3" -time "$1" -www / \
        >"$tmp/s_time.log" 2>&1
    reused=$(grep -E '^[rt*]+$' "$tmp/s_time.log" | tr -cd r | wc -c)
    fresh=$(grep -E '^[rt*]+$' "$tmp/s_time.log" | tr -cd 't*' | wc -c)
}
