#!/usr/bin/env bash
# mosquitto: the library's defaults, nothing set by the application.
limit=60
. "$(dirname "$0")/common.sh"

need mosquitto mosquitto
make_certificate
# CONNECT with client id "x", DISCONNECT
request='\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x\xe0\x00'

scenario() {
    free_port
    cat >"$tmp/mosquitto.conf" <<CONF
user root
allow_anonymous true
listener $port 127.0.0.1
certfile $cert
keyfile $key
CONF
    start_server mosquitto -c "$tmp/mosquitto.conf" || return
    expect "TLS 1.2, no tickets" "$(six_handshakes tls1_2 -no_ticket)" "1N 5R"
    expect "TLS 1.3, tickets" "$(six_handshakes tls1_3)" "1N 5R"
    stop_server
    expect "exit status" "$status" 0
    in_front stored hits
}

on_both_sides scenario
finish
