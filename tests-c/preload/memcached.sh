#!/usr/bin/env bash
# memcached -Z: several threads on one context; the internal cache with a new-session callback
# that only counts.
limit=60
. "$(dirname "$0")/common.sh"

need memcached memcached
memcached --help 2>&1 | grep -q -- '--enable-ssl' || skip_all "this memcached has no TLS"
make_certificate
request='stats\r\nquit\r\n'

scenario() {
    free_port
    start_server memcached -u root -l 127.0.0.1 -p "$port" -t 2 -Z -o ssl_chain_cert="$cert",ssl_key="$key",ssl_session_cache || return
    expect "TLS 1.2 -reconnect, no tickets" "$(six_reconnects -no_ticket)" "1N 5R"
    expect "TLS 1.2, no tickets" "$(six_handshakes tls1_2 -no_ticket)" "1N 5R"
    expect "TLS 1.3" "$(six_handshakes tls1_3)" "1N 5R"
    handshake tls1_2 "$tmp/last" >/dev/null # with a ticket: nothing new for a cache
    # 1 + 1 of TLS 1.2, 2 tickets of the full TLS 1.3 handshake and 1 of each resumption.
    expect "new sessions memcached counts" \
        "$(grep -a 'STAT ssl_new_sessions' "$tmp/client.log" | tr -cd 0-9)" 9
    stop_server INT
    expect "exit status" "$status" 0
    in_front stored hits

    new_stats
    start_server memcached -u root -l 127.0.0.1 -p "$port" -Z -o ssl_chain_cert="$cert",ssl_key="$key" || return
    expect "without ssl_session_cache, TLS 1.2, no tickets" "$(six_handshakes tls1_2 -no_ticket)" "6N 0R"
    stop_server INT
}

on_both_sides scenario
finish
