#!/usr/bin/env bash
# h2o: the internal cache of one context, used by several threads, with NO_AUTO_CLEAR and
# h2o's own periodic SSL_CTX_flush_sessions.
limit=90
. "$(dirname "$0")/common.sh"

need h2o h2o
make_certificate
exit_by_handlers

scenario() {
    free_port
    mkdir -p "$tmp/htdocs" && echo hello >"$tmp/htdocs/index.html"
    cat >"$tmp/h2o.yaml" <<CONF
user: root
num-threads: 2
listen:
  host: 127.0.0.1
  port: $port
  ssl:
    certificate-file: $cert
    key-file: $key
ssl-session-resumption:
  mode: cache
hosts:
  localhost:
    paths:
      /:
        file.dir: $tmp/htdocs
CONF
    start_server h2o -c "$tmp/h2o.yaml" || return
    expect "TLS 1.2 -reconnect, no tickets" "$(six_reconnects -no_ticket)" "1N 5R"
    expect "TLS 1.2" "$(six_handshakes tls1_2)" "1N 5R"
    expect "TLS 1.3" "$(six_handshakes tls1_3)" "1N 5R"
    many_connections 2 reuse tls1_2
    expect "s_time -reuse, TLS 1.2: new" "$fresh" 0
    expect_that "s_time -reuse, TLS 1.2: $reused resumed" test "$reused" -gt 100
    stop_server
    expect "exit status" "$status" 0
    in_front stored hits
}

on_both_sides scenario
finish
