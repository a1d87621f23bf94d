#!/usr/bin/env bash
# Shows the library in front of a real TLS server: the same `openssl s_server`, six
# handshakes each, once with OpenSSL's own session cache and once with ours; then two of
# them with one cache, over a restart.
#
#   make demo                            builds the library, then runs this
#   SSLCACHE_LIB=file examples/demo.sh   another build of the library
#
# Exits 0 only if every client resumed and the library's own counters say that it was
# the library that resumed them. Needs about ten seconds.
set -u
case ${1-} in
  '') ;;
  -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "demo.sh: unknown argument $1" >&2; exit 2 ;;
esac

root=$(cd "$(dirname "$0")/.." && pwd)
lib=${SSLCACHE_LIB:-$root/target/release/libsslcache.so}
resumptions=5
failed=0

tmp=$(mktemp -d) || exit 1
server=
pair=()
shm= # a directory in memory, for part 3
clean_up() {
    [ -z "$server" ] || kill "$server" 2>/dev/null
    [ ${#pair[@]} -eq 0 ] || kill "${pair[@]}" 2>/dev/null
    rm -rf "$tmp" ${shm:+"$shm"}
}
trap clean_up EXIT
trap 'exit 130' INT TERM

complain() {
    echo "FAIL: $*" >&2
    failed=1
}

# --- What is needed -------------------------------------------------------------------

need_library() {
    [ -f "$lib" ] && return 0
    echo "The library is not built yet. Run this, then try again:" >&2
    echo "  cargo build --release" >&2
    exit 1
}

# --- Part 1: the library alone --------------------------------------------------------

# The examples see our headers and link our library and nothing else: no libssl.
run_example() {
    local name=$1
    echo
    echo "--- examples/$name.c"
    cc -std=c11 -Wall -I"$root/include" "$root/examples/$name.c" -o "$tmp/$name" \
        -L"$tmp/lib" -lsslcache -Wl,-rpath,"$tmp/lib" || {
        complain "examples/$name.c does not compile"
        return
    }
    timeout 20 "$tmp/$name" || complain "examples/$name failed"
}

# A directory as `make install` would leave it: the file, and its name for the loader.
stage_library() {
    mkdir "$tmp/lib"
    ln -s "$(readlink -f "$lib")" "$tmp/lib/libsslcache.so"
    ln -s libsslcache.so "$tmp/lib/libsslcache.so.0"
}

# --- Part 2: the library in front of OpenSSL ------------------------------------------

make_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj /CN=localhost -keyout "$tmp/key.pem" -out "$tmp/cert.pem" 2>"$tmp/req.log" || {
        cat "$tmp/req.log" >&2
        exit 1
    }
}

# State 0A is LISTEN. Looking here, and not connecting, leaves the server's count alone.
is_listening() {
    grep -qsE ":$(printf '%04X' "$1") [0-9A-F]+:0000 0A" /proc/net/tcp /proc/net/tcp6
}

free_port() {
    local port
    for _ in $(seq 50); do
        port=$((20000 + RANDOM % 10000))
        is_listening "$port" || break
    done
    echo "$port"
}

# start_server PROTOCOL PRELOAD STATS: a server that ends by itself after the last handshake.
# -no_ticket: the state of a session lies in the server's cache, not with the client.
start_server() {
    local protocol=$1 preload=$2 stats=$3
    port=$(free_port)
    timeout 60 env ${preload:+LD_PRELOAD="$preload"} SSLCACHE_STATS="$stats" \
        openssl s_server -accept "127.0.0.1:$port" -cert "$tmp/cert.pem" -key "$tmp/key.pem" \
        "-$protocol" -no_ticket -www -quiet -naccept $((resumptions + 1)) \
        >"$tmp/server.log" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        is_listening "$port" && return 0
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    cat "$tmp/server.log" >&2
    complain "openssl s_server does not listen"
    return 1
}

# handshake PROTOCOL SESSION_FILE: prints New or Reused. The client offers the session of
# the handshake before, and keeps the one of this handshake for the next.
handshake() {
    local protocol=$1 session=$2 offer=()
    [ -f "$session" ] && offer=(-sess_in "$session")
    printf 'GET / HTTP/1.0\r\n\r\n' |
        timeout 10 openssl s_client -connect "127.0.0.1:$port" "-$protocol" -ign_eof \
            "${offer[@]}" -sess_out "$session" >"$tmp/client.log" 2>&1
    grep -oE '^(New|Reused), TLS' "$tmp/client.log" | cut -d, -f1 | sort -u | paste -sd/
}

# six_handshakes PROTOCOL PRELOAD NAME: one line per handshake into $tmp/NAME
six_handshakes() {
    local protocol=$1 preload=$2 name=$3
    rm -f "$tmp/session"
    : >"$tmp/$name"
    start_server "$protocol" "$preload" "$tmp/$name.stats" || return
    for _ in $(seq $((resumptions + 1))); do
        handshake "$protocol" "$tmp/session" >>"$tmp/$name"
    done
    wait "$server" # it has seen its last client and now writes the statistics
    server=
}

show_table() {
    printf '\n%-12s %-22s %-22s\n' '' 'TLS 1.2' 'TLS 1.3'
    printf '%-12s %-10s %-11s %-10s %-10s\n' handshake 'OpenSSL' '+ sslcache' 'OpenSSL' '+ sslcache'
    paste -d' ' "$tmp/tls1_2.without" "$tmp/tls1_2.with" "$tmp/tls1_3.without" "$tmp/tls1_3.with" |
        awk '{ printf "%-12d %-10s %-11s %-10s %-10s\n", NR, $1, $2, $3, $4 }'
}

# counter NAME FILE: the number after the word NAME, summed over the file; 0 without a file.
counter() {
    [ -f "$2" ] || { echo 0; return; }
    grep -oE "\<$1[ =:]+[0-9]+" "$2" | awk '{ sub(/.*[ =:]/, ""); n += $0 } END { print n + 0 }'
}

check() {
    local protocol=$1 reused hits
    reused=$(grep -cx Reused "$tmp/$protocol.with")
    [ "$(sed -n 1p "$tmp/$protocol.with")" = New ] || complain "$protocol: the first handshake is not New"
    [ "$reused" -eq "$resumptions" ] || complain "$protocol: $reused of $resumptions resumed"
    hits=$(counter hits "$tmp/$protocol.with.stats")
    [ "$hits" -eq "$resumptions" ] ||
        complain "$protocol: the library counted $hits hits, not $resumptions: was it in front?"
    [ ! -e "$tmp/$protocol.without.stats" ] || complain "$protocol: statistics without the library"
}

# --- Part 3: one cache for two servers ------------------------------------------------

# start_pair PRELOAD: two servers, on the ports of before if there are any.
start_pair() {
    local number
    pair=()
    for number in 0 1; do
        [ -n "${ports[number]-}" ] || ports[number]=$(free_port)
        env ${1:+LD_PRELOAD="$1" SSLCACHE_SHARED="$shm/web,size=1m"} \
            openssl s_server -accept "127.0.0.1:${ports[number]}" -cert "$tmp/cert.pem" \
            -key "$tmp/key.pem" -no_ticket -www -quiet >>"$tmp/pair.log" 2>&1 &
        pair+=("$!")
    done
    for number in 0 1; do
        for _ in $(seq 100); do is_listening "${ports[number]}" && break; sleep 0.05; done
    done
}

stop_pair() {
    kill "${pair[@]}"
    wait "${pair[@]}" 2>/dev/null
    pair=()
}

# both_servers PRELOAD NAME: a client that goes from one to the other; after four handshakes
# both are stopped, and started again. One line per handshake into $tmp/NAME.PROTOCOL.
both_servers() {
    local protocol number
    ports=()
    start_pair "$1"
    for number in 0 1 2 3 4 5; do
        [ $number -ne 4 ] || { stop_pair; start_pair "$1"; }
        port=${ports[number % 2]}
        for protocol in tls1_2 tls1_3; do
            handshake $protocol "$tmp/$2.$protocol.session" >>"$tmp/$2.$protocol"
        done
    done
    stop_pair
}

show_pair() {
    local row=0 line
    printf '\n%-16s %-22s %-22s\n' '' 'TLS 1.2' 'TLS 1.3'
    printf '%-16s %-10s %-11s %-10s %-10s\n' handshake 'OpenSSL' '+ sslcache' 'OpenSSL' '+ sslcache'
    paste -d' ' "$tmp/alone.tls1_2" "$tmp/shared.tls1_2" "$tmp/alone.tls1_3" "$tmp/shared.tls1_3" |
        while read -r line; do
            [ $((row += 1)) -ne 5 ] || echo '    both servers are stopped, and started again'
            set -- $((row)) "$([ $((row % 2)) -eq 1 ] && echo first || echo second)" $line
            printf '%-3d%-13s %-10s %-11s %-10s %-10s\n' "$@"
        done
}

check_pair() {
    local protocol
    for protocol in tls1_2 tls1_3; do
        [ "$(paste -sd' ' "$tmp/shared.$protocol")" = "New Reused Reused Reused Reused Reused" ] ||
            complain "$protocol: two servers with one cache: $(paste -sd' ' "$tmp/shared.$protocol")"
    done
}

"$root/scripts/need" openssl cc:gcc || exit 1
need_library
stage_library

echo "=== 1. The library alone, in the place of libssl"
run_example session_cache
run_example external_cache

echo
echo "=== 2. The library in front of $(openssl version | cut -d' ' -f1,2): LD_PRELOAD"
echo
echo "openssl s_server -no_ticket; the client offers its last session each time."
make_certificate
for protocol in tls1_2 tls1_3; do
    six_handshakes $protocol '' $protocol.without
    six_handshakes $protocol "$tmp/lib/libsslcache.so" $protocol.with
done
show_table
for protocol in tls1_2 tls1_3; do
    echo
    echo "What the library says (SSLCACHE_STATS=file), $protocol:"
    [ ! -f "$tmp/$protocol.with.stats" ] || sed 's/^/  /' "$tmp/$protocol.with.stats"
    check $protocol
done

echo
echo "=== 3. One cache for two servers: SSLCACHE_SHARED=/dev/shm/..."
echo
if shm=$(mktemp -d /dev/shm/sslcache-demo.XXXXXX 2>/dev/null); then
    echo "Two openssl s_server; the client goes from one to the other and back."
    both_servers '' alone
    both_servers "$tmp/lib/libsslcache.so" shared
    show_pair
    check_pair
else
    echo "There is no memory to share here: no /dev/shm that may be written to."
fi

echo
if [ $failed -ne 0 ]; then
    echo "The demo FAILED."
    exit 1
fi
echo "All $resumptions of $resumptions resumed in both protocols, out of the library's cache."
