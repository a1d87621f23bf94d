#!/usr/bin/env bash
# redis: the internal cache, switched on and off by tls-session-caching.
limit=60
. "$(dirname "$0")/common.sh"

need redis-server redis-server
make_certificate
request='PING\r\nQUIT\r\n' # redis closes, and so says goodbye

serve() {
    free_port
    start_server redis-server --port 0 --tls-port "$port" --bind 127.0.0.1 --save '' --dir "$tmp" \
        --tls-cert-file "$cert" --tls-key-file "$key" --tls-ca-cert-file "$cert" --tls-auth-clients no \
        --tls-session-caching "$1"
}

scenario() {
    serve yes || return
    expect "TLS 1.2, no tickets" "$(six_handshakes tls1_2 -no_ticket)" "1N 5R"
    expect "TLS 1.3, tickets" "$(six_handshakes tls1_3)" "1N 5R"
    stop_server
    expect "exit status" "$status" 0
    in_front stored hits

    new_stats
    serve no || return
    expect "tls-session-caching no, TLS 1.2, no tickets" "$(six_handshakes tls1_2 -no_ticket)" "6N 0R"
    stop_server
}

on_both_sides scenario
finish
