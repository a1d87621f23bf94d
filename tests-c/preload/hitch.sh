#!/usr/bin/env bash
# hitch: a TLS proxy that forks its worker after it made its contexts; library defaults.
limit=60
. "$(dirname "$0")/common.sh"

need hitch hitch
make_certificate

scenario() {
    free_port
    local front=$port
    # Nobody is behind it: the handshake is all there is to see.
    cat >"$tmp/hitch.conf" <<CONF
frontend = "[127.0.0.1]:$front"
backend = "[127.0.0.1]:1"
pem-file = "$both"
tls-protos = TLSv1.2 TLSv1.3
workers = 1
daemon = off
user = "root"
CONF
    start_server hitch --config="$tmp/hitch.conf" || return
    request=
    expect "TLS 1.2, no tickets" "$(six_handshakes tls1_2 -no_ticket)" "1N 5R"
    expect "TLS 1.3, tickets" "$(six_handshakes tls1_3)" "1N 5R"
    stop_server
    in_front stored hits
}

on_both_sides scenario
finish
