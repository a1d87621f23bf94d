# HAProxy: one process with threads; a reload starts another one beside it.
title="HAProxy"
best='its cache, `no-tls-tickets`'
need haproxy haproxy
client=(--to-the-end --send $'GET / HTTP/1.0\r\n\r\n')

configure() {
    local tickets=
    [ "$1" != best ] || tickets=no-tls-tickets
    cat >"$tmp/haproxy.cfg" <<CONF
global
    nbthread 2
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 5s
frontend tls
    bind 127.0.0.1:$port ssl crt $both $tickets
    http-request return status 200 content-type text/plain string hello
CONF
}
start() { start_server haproxy -W -f "$tmp/haproxy.cfg"; }
reload() { kill -USR2 "$server"; }
