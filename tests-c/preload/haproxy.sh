#!/usr/bin/env bash
# HAProxy: its own session cache behind callbacks on the server side.
limit=90
. "$(dirname "$0")/common.sh"

need haproxy haproxy
make_certificate

serve() {
    free_port
    cat >"$tmp/haproxy.cfg" <<CONF
global
    stats socket $tmp/admin.sock mode 600 level admin
    tune.ssl.cachesize $1
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 5s
frontend tls
    bind 127.0.0.1:$port ssl crt $both no-tls-tickets
    http-request return status 200 content-type text/plain string hello
CONF
    start_server haproxy -db -f "$tmp/haproxy.cfg"
}

# The application's own counters, over its command socket.
info() {
    perl -MIO::Socket::UNIX -e '
        my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die;
        print $s "show info\n"; print while <$s>' "$tmp/admin.sock" |
        grep -E "^$1:" | cut -d' ' -f2
}

scenario() {
    serve 20000 || return
    expect "TLS 1.2 -reconnect, no tickets" "$(six_reconnects -no_ticket)" "1N 5R"
    expect "TLS 1.2" "$(six_handshakes tls1_2)" "1N 5R"
    expect "TLS 1.3" "$(six_handshakes tls1_3)" "1N 5R"
    expect "look-ups and misses HAProxy counts" "$(info SslCacheLookups) $(info SslCacheMisses)" "15 0"
    many_connections 2 reuse tls1_3
    expect "s_time -reuse, TLS 1.3: new" "$fresh" 0
    stop_server USR1
    expect "exit status after a soft stop" "$status" 0
    if [ "$side" = with ]; then
        expect_that "in front: the library opened its statistics" test -e "$stats"
    else
        expect_that "no statistics without the library" test ! -e "$stats"
    fi
    serve 0 || return
    expect "tune.ssl.cachesize 0, TLS 1.2" "$(six_handshakes tls1_2)" "6N 0R"
    stop_server USR1
}

on_both_sides scenario
finish
