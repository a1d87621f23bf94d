#!/usr/bin/env bash
# openssl s_server, s_client and s_time: the internal cache of 128 sessions, no cache, and
# the external cache of s_server -ext_cache.
limit=200
. "$(dirname "$0")/common.sh"

need openssl openssl
need curl curl
make_certificate

# serve OPTION...: ends by itself after $clients clients if that is set, and so by exit().
serve() {
    free_port
    start_server openssl s_server -accept "127.0.0.1:$port" -cert "$cert" -key "$key" -www -quiet "$@"
}

# The server reads commands from nobody: SIGTERM ends it without exit handlers. A number of
# clients given with -naccept ends it properly, and then the library speaks.
served() {
    wait_for 10 gone "$server" || fail "s_server does not end after its last client"
    wait "$server" 2>/dev/null
    expect "s_server's exit status" $? 0
    forget "$server"
}

resumption_by_id() {
    serve -no_ticket -naccept 24 || return
    expect "TLS 1.2, client without tickets, -reconnect" "$(six_reconnects -no_ticket)" "1N 5R"
    expect "TLS 1.2, client with tickets, -reconnect" "$(six_reconnects)" "1N 5R"
    expect "TLS 1.2, -sess_in" "$(six_handshakes tls1_2)" "1N 5R"
    expect "TLS 1.3, -sess_in" "$(six_handshakes tls1_3)" "1N 5R"
    served
    in_front stored hits
    [ "$side" = without ] || expect "each resumption is one hit" "$(counter hits)" 20
}

no_cache() {
    new_stats
    serve -no_ticket -no_cache -naccept 18 || return
    expect "-no_cache, TLS 1.2, -reconnect" "$(six_reconnects -no_ticket)" "6N 0R"
    expect "-no_cache, TLS 1.2" "$(six_handshakes tls1_2)" "6N 0R"
    expect "-no_cache, TLS 1.3" "$(six_handshakes tls1_3)" "6N 0R"
    served
    expect "-no_cache: hits" "$(counter hits)" 0
}

# The application's own callbacks must still be asked, and be the only store.
external_cache() {
    new_stats
    serve -no_ticket -ext_cache -naccept 12 || return
    expect "-ext_cache, TLS 1.2" "$(six_handshakes tls1_2)" "1N 5R"
    expect "-ext_cache, TLS 1.3" "$(six_handshakes tls1_3)" "1N 5R"
    served
}

# With tickets the client carries the session: the cache has nothing to do.
tickets() {
    new_stats
    serve -naccept 12 || return
    expect "tickets, TLS 1.2" "$(six_handshakes tls1_2)" "1N 5R"
    expect "tickets, TLS 1.3" "$(six_handshakes tls1_3)" "1N 5R"
    served
    expect "tickets: hits" "$(counter hits)" 0
}

# status WORD: a number of the server's own status page.
status_page() {
    curl -sk --max-time 10 "https://127.0.0.1:$port/" | sed 's/<[^>]*>//g' >"$tmp/status"
}
number_of() { grep -E "$1" "$tmp/status" | grep -oE '[0-9]+' | sed -n 1p; }

# Fill the cache over its size; the status page is the application's view of the counters.
overflow() {
    new_stats
    serve -no_ticket || return
    many_connections 2 new tls1_2
    status_page
    expect "after $fresh new sessions the cache holds" "$(number_of 'items in the session cache')" 127
    expect_that "the page shows its size" grep -q '128' "$tmp/status"
    # What a full cache lets go of has not left, where it is shared.
    if is_shared_here; then
        expect "the page counts overflows" "$(number_of 'cache full overflows')" 0
    else
        expect_that "the page counts overflows" test "$(number_of 'cache full overflows')" -gt 100
    fi
    expect "hits before any resumption" "$(number_of 'session cache hits')" 0
    expect "resumption after the overflow" "$(six_handshakes tls1_2)" "1N 5R"
    status_page
    expect "hits the page shows" "$(number_of 'session cache hits')" 5
    stop_server
}

# Thousands of resumptions, one after the other, in both protocols.
throughput() {
    new_stats
    serve -no_ticket || return
    for protocol in tls1_2 tls1_3; do
        many_connections 2 reuse $protocol
        expect "s_time -reuse, $protocol: new sessions" "$fresh" 0
        expect_that "s_time -reuse, $protocol: $reused resumed" test "$reused" -gt 100
    done
    stop_server
}

# The client side: s_client keeps its sessions by a callback of its own.
client() {
    local keep=$preload
    new_stats
    preload= serve -no_ticket -naccept 12 || return
    preload=$keep
    client_preload=$preload
    expect "s_client in front, TLS 1.3" "$(six_handshakes tls1_3)" "1N 5R"
    client_preload=
    fronted 20 openssl s_client -connect "127.0.0.1:$port" -tls1_2 \
        -no_ticket -reconnect </dev/null >"$tmp/client.log" 2>&1
    expect "s_client in front, TLS 1.2, -reconnect" "$(count_sessions "$tmp/client.log")" "1N 5R"
    served
}

# Why clients do not resume: what is told is what has happened.
reasons() {
    [ "$side" = with ] || return 0
    # Where processes share, what has no room here is found there.
    ! is_shared_here || return 0
    new_stats
    export SSLCACHE_SET="size=3 timeout=3s"
    serve -no_ticket -naccept 8 || return
    unset SSLCACHE_SET
    local session seen=
    # Two have room. Each that comes back drives out another one.
    for session in a b c d a b c; do seen+=$(handshake tls1_2 "$tmp/reason.$session"); done
    expect "more clients than room" "$seen" NNNNNNN
    sleep 4
    expect "a session that has expired" "$(handshake tls1_2 "$tmp/reason.c")" N
    served
    expect "hits" "$(counter hits)" 0
    expect "stale" "$(counter stale)" 1
    expect "misses" "$(counter misses)" 3
    expect_that "all of sessions that were evicted" \
        grep -q '(unknown 0, expired 0, removed 0, evicted 3)' "$stats"
}

scenario() {
    resumption_by_id
    reasons
    no_cache
    external_cache
    tickets
    overflow
    throughput
    client
}

on_both_sides scenario
finish
