#!/usr/bin/env bash
# stunnel: switches the internal store off and then calls SSL_CTX_add_session itself, from
# its new-session callback; one thread for each client.
limit=90
. "$(dirname "$0")/common.sh"

need stunnel4 stunnel4
need python3 python3-minimal
make_certificate

backend= # a plain web server behind the tunnel
python3 - >"$tmp/backend.port" 2>"$tmp/backend.log" <<'PY' &
import socketserver
class Hello(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.readline()
        self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\nhello\n")
class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
with Server(("127.0.0.1", 0), Hello) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
PY
backend=$!
servers+=("$backend")
wait_for 5 test -s "$tmp/backend.port" || skip_all "no backend"

serve() {
    free_port
    cat >"$tmp/stunnel.conf" <<CONF
foreground = yes
pid =
debug = 5
sslVersionMin = TLSv1.2
options = NO_TICKET
[tls]
accept = 127.0.0.1:$port
connect = 127.0.0.1:$(cat "$tmp/backend.port")
cert = $cert
key = $key
CONF
    printf '%s\n' "$@" >>"$tmp/stunnel.conf"
    start_server stunnel4 "$tmp/stunnel.conf"
}

scenario() {
    serve || return
    expect "TLS 1.2 -reconnect, no tickets" "$(six_reconnects -no_ticket)" "1N 5R"
    expect "TLS 1.2" "$(six_handshakes tls1_2)" "1N 5R"
    # Every second session is lost with plain libssl too: so it must be here.
    expect "TLS 1.3" "$(six_handshakes tls1_3)" "3N 3R"
    many_connections 2 reuse tls1_2
    expect "s_time -reuse, TLS 1.2: new" "$fresh" 0
    expect_that "s_time -reuse, TLS 1.2: $reused resumed" test "$reused" -gt 50
    stop_server
    expect "exit status" "$status" 0
    in_front stored hits

    new_stats
    serve "sessionCacheSize = 5" "sessionCacheTimeout = 2" || return
    expect "small cache, TLS 1.2" "$(six_handshakes tls1_2)" "1N 5R"
    local session=$tmp/late
    rm -f "$session"
    handshake tls1_2 "$session" >/dev/null
    sleep 3.5
    expect "a session past sessionCacheTimeout" "$(handshake tls1_2 "$session")" N
    stop_server
}

on_both_sides scenario
finish
